import { describe, expect, test } from 'vitest';
import { assembleFilter } from '../../src/seccomp/filter.ts';
import { ALLOWED, type Architecture, DEPENDS, numberOf, REFUSED } from '../../src/seccomp/table.ts';
import { interpret } from './interpret.ts';

/** What the filter answers, read from its bytes by an interpreter of our own; real.test.ts asks the kernel. */
const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const errno = (number: number) => 0x5_0000 | number;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
const X86_64 = 0xc000_003e;
const AARCH64 = 0xc000_00b7;
const I386 = 0x4000_0003;

describe.for([
  { architecture: 'x64', audit: X86_64, other: AARCH64 },
  { architecture: 'arm64', audit: AARCH64, other: X86_64 },
] as const)('the filter for $architecture', ({ architecture, audit, other }) => {
  const filter = assembleFilter(architecture as Architecture);
  const ask = (number: number, ...args: number[]) =>
    interpret(filter, { architecture: audit, number, arguments: args }).action;
  const numbers = (table: typeof ALLOWED | typeof REFUSED | typeof DEPENDS) =>
    Object.values(table).flatMap(row => numberOf(row, architecture as Architecture) ?? []);
  const depends = (name: keyof typeof DEPENDS, ...args: number[]) =>
    ask(numberOf(DEPENDS[name], architecture as Architecture)!, ...args);

  test('allows what is allowed, refuses what is refused, and knows nothing else', () => {
    const allowed = new Set(numbers(ALLOWED));
    const refused = new Set(numbers(REFUSED));
    const depending = new Set(numbers(DEPENDS));
    for (let number = 0; number < 1000; number++) {
      if (depending.has(number)) continue;
      const expected = allowed.has(number) ? ALLOW : errno(refused.has(number) ? EPERM : ENOSYS);
      expect(ask(number), `call ${number}`).toBe(expected);
    }
  });

  test('names every call once', () => {
    const all = [...numbers(ALLOWED), ...numbers(REFUSED), ...numbers(DEPENDS)];
    expect(new Set(all).size).toBe(all.length);
  });

  test('lets no x32 call and no negative number through', () => {
    for (const number of numbers(ALLOWED)) expect(ask(number + 0x4000_0000)).toBe(errno(ENOSYS));
    expect(ask(0xffff_ffff)).toBe(errno(ENOSYS));
  });

  test('ends a process that calls by another architecture', () => {
    for (const architecture of [other, I386, 0]) {
      expect(interpret(filter, { architecture, number: 0 }).action).toBe(KILL);
    }
  });

  test('lets threads and processes be made, and no namespace', () => {
    const [thread, vfork] = [0x3d_0f00, 0x4111];
    expect(depends('clone', thread)).toBe(ALLOW);
    expect(depends('clone', vfork)).toBe(ALLOW);
    for (const flag of [
      0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000,
    ]) {
      expect(depends('clone', flag | 17), flag.toString(16)).toBe(errno(EPERM));
    }
    expect(depends('clone3', 0, 88)).toBe(errno(ENOSYS));
  });

  test('lets a process limit itself in all but core files, and nobody else', () => {
    const [FILES, CORE, self, other, nothing] = [7, 4, 0, 1, 0];
    const somewhere = 0x7fff_1234_5678;
    const lowHalfZero = 0x1_0000_0000;
    expect(depends('prlimit64', self, FILES, somewhere)).toBe(ALLOW);
    expect(depends('prlimit64', other, FILES, nothing)).toBe(errno(EPERM));
    expect(depends('prlimit64', self, CORE, nothing, somewhere)).toBe(ALLOW);
    expect(depends('prlimit64', other, CORE, nothing, somewhere)).toBe(errno(EPERM));
    for (const limits of [somewhere, lowHalfZero, 1])
      expect(depends('prlimit64', self, CORE, limits)).toBe(errno(EPERM));
    expect(depends('setrlimit', FILES, somewhere)).toBe(ALLOW);
    expect(depends('setrlimit', CORE, somewhere)).toBe(errno(EPERM));
  });

  test('gives another rank to anything but the agent', () => {
    const [agent, self, other] = [1, 0, 7];
    for (const name of [
      'sched_setscheduler',
      'sched_setparam',
      'sched_setattr',
      'sched_setaffinity',
    ] as const) {
      for (const whom of [self, other]) expect(depends(name, whom), name).toBe(ALLOW);
      expect(depends(name, agent), name).toBe(errno(EPERM));
    }
    const which = { setpriority: [0, 1, 2], ioprio_set: [1, 2, 3] } as const;
    for (const [name, [one, group, user]] of Object.entries(which)) {
      const call = (...words: number[]) => depends(name as keyof typeof which, ...words);
      for (const some of [one, group]) {
        for (const whom of [self, other]) expect(call(some, whom), name).toBe(ALLOW);
        expect(call(some, agent), name).toBe(errno(EPERM));
      }
      for (const whom of [self, other, agent]) expect(call(user, whom), name).toBe(errno(EPERM));
    }
  });

  test('opens local, internet and routing sockets only, of protocols that load no module', () => {
    const SCTP = 132;
    for (const socket of [
      [1, 1, 0],
      [2, 1, 0],
      [2, 2, 17],
      [10, 1, 6],
      [16, 3, 0],
    ]) {
      expect(depends('socket', ...socket), socket.join()).toBe(ALLOW);
    }
    for (const socket of [
      [2, 1, SCTP],
      [16, 3, 12],
      [17, 3, 0],
      [40, 1, 0],
      [38, 5, 0],
      [0, 1, 0],
    ]) {
      expect(depends('socket', ...socket), socket.join()).toBe(errno(EAFNOSUPPORT));
    }
    expect(depends('socketpair', 1, 1, 0)).toBe(ALLOW);
    expect(depends('socketpair', 2, 1, 0)).toBe(errno(EAFNOSUPPORT));
  });

  test('pushes no characters into terminals and changes no personality', () => {
    const [TCGETS, TIOCSTI, TIOCLINUX] = [0x5401, 0x5412, 0x541c];
    expect(depends('ioctl', 0, TCGETS)).toBe(ALLOW);
    expect(depends('ioctl', 0, TIOCSTI)).toBe(errno(EPERM));
    expect(depends('ioctl', 0, TIOCLINUX)).toBe(errno(EPERM));
    expect(depends('personality', 0xffff_ffff)).toBe(ALLOW);
    expect(depends('personality', 0x4_0000)).toBe(errno(EPERM));
    expect(depends('sync')).toBe(errno(0));
    expect(depends('syncfs', 3)).toBe(errno(0));
  });

  test('takes a dozen instructions for a call without conditions, whatever its number', () => {
    const most = Math.max(
      ...numbers(ALLOWED).map(number => interpret(filter, { architecture: audit, number }).steps),
    );
    expect(most).toBeLessThan(20);
    expect(filter.byteLength / 8).toBeLessThan(4096);
  });
});
