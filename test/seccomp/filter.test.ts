import { describe, expect, test } from 'vitest';
import { assembleFilter } from '../../src/seccomp/filter.ts';
import { PROGRAM_RULES } from '../../src/seccomp/rules.ts';
import { ALLOWED, type Architecture, DEPENDS, numberOf, REFUSED } from '../../src/seccomp/table.ts';
import { interpret } from './interpret.ts';

/** What the filter answers, read from its bytes by an interpreter of our own; real.test.ts asks the kernel. */
const ALLOW = 0x7fff_0000;
const KILL = 0x8000_0000;
const errno = (number: number) => 0x5_0000 | number;
const [EPERM, ENOMEM, EINVAL, ENOSYS, ENOPROTOOPT, EOPNOTSUPP, EAFNOSUPPORT] = [1, 12, 22, 38, 92, 95, 97];
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
  const programs = assembleFilter(architecture as Architecture, PROGRAM_RULES);
  const ofProgram = (name: keyof typeof DEPENDS, ...args: number[]) => {
    const number = numberOf(DEPENDS[name], architecture as Architecture)!;
    return interpret(programs, { architecture: audit, number, arguments: args }).action;
  };

  test('lets children be traced that offer themselves, by who may trace at all', () => {
    const [TRACEME, PEEKDATA, CONT, SETOPTIONS, GETREGSET] = [0, 2, 7, 0x4200, 0x4204];
    const [ATTACH, SYSCALL, SYSEMU, SEIZE, SECCOMP_GET_FILTER] = [16, 24, 31, 0x4206, 0x420c];
    const traced = [TRACEME, PEEKDATA, CONT, SETOPTIONS, GETREGSET];
    for (const request of traced) expect(depends('ptrace', request)).toBe(ALLOW);
    for (const request of [ATTACH, SYSCALL, SYSEMU, SEIZE, SECCOMP_GET_FILTER, 0xffff_ffff])
      expect(depends('ptrace', request)).toBe(errno(EPERM));
    for (const request of [...traced, ATTACH]) expect(ofProgram('ptrace', request)).toBe(errno(EPERM));
  });

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

  test('lets messages be sent, and none that more is to be added to', () => {
    const [NOSIGNAL, MORE] = [0x4000, 0x8000];
    for (const [name, flags] of [
      ['sendto', 3],
      ['sendmsg', 2],
      ['sendmmsg', 3],
    ] as const) {
      const send = (value: number) => depends(name, ...Array(flags).fill(0), value);
      expect(send(NOSIGNAL)).toBe(ALLOW);
      for (const value of [MORE, MORE | NOSIGNAL]) expect(send(value)).toBe(errno(EOPNOTSUPP));
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
    // Descriptors are shared by threads of one process only.
    for (const flags of [0x400 | 17, 0x700 | 17]) expect(depends('clone', flags)).toBe(errno(EPERM));
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

  test('opens local and internet sockets only, of protocols that load no module', () => {
    const SCTP = 132;
    for (const socket of [
      [1, 1, 0],
      [2, 1, 0],
      [2, 2, 17],
      [10, 1, 6],
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
    for (const type of [2, 3, 3 | 0o2000000]) expect(depends('socket', 16, type, 0)).toBe(errno(EOPNOTSUPP));
    expect(depends('socketpair', 1, 1, 0)).toBe(ALLOW);
    expect(depends('socketpair', 2, 1, 0)).toBe(errno(EAFNOSUPPORT));
  });

  test('sets options of sockets that hold nothing more in the kernel', () => {
    const [IP, SOCKET, TCP, UDP, IPV6] = [0, 1, 6, 17, 41];
    const set = (level: number, name: number) => depends('setsockopt', 3, level, name, 0x7fff_0000, 4);
    for (const [level, name] of [
      [SOCKET, 2],
      [SOCKET, 7],
      [SOCKET, 15],
      [IP, 1],
      [TCP, 1],
      [UDP, 103],
      [IPV6, 26],
    ] as const)
      expect(set(level, name), `${level} ${name}`).toBe(ALLOW);
    // SO_RCVBUF, IP_RECVERR, IPV6_RECVERR.
    for (const [level, name] of [
      [SOCKET, 8],
      [IP, 11],
      [IPV6, 25],
    ] as const)
      expect(set(level, name), `${level} ${name}`).toBe(errno(0));
    const refused = {
      [SOCKET]: { SO_ATTACH_FILTER: 26, SO_ATTACH_BPF: 50, SO_ATTACH_REUSEPORT_CBPF: 51, SO_LOCK_FILTER: 44 },
      [IP]: {
        IP_OPTIONS: 4,
        IP_ADD_MEMBERSHIP: 35,
        IP_ADD_SOURCE_MEMBERSHIP: 39,
        IP_MSFILTER: 41,
        MCAST_JOIN_GROUP: 42,
      },
      [TCP]: {
        TCP_DEFER_ACCEPT: 9,
        TCP_MD5SIG: 14,
        TCP_REPAIR: 19,
        TCP_FASTOPEN: 23,
        TCP_SAVE_SYN: 27,
        TCP_ULP: 31,
      },
      [UDP]: { UDP_CORK: 1, UDP_ENCAP: 100 },
      [IPV6]: {
        IPV6_JOIN_GROUP: 20,
        IPV6_JOIN_ANYCAST: 27,
        IPV6_FLOWLABEL_MGR: 32,
        IPV6_XFRM_POLICY: 35,
        IPV6_HOPOPTS: 54,
      },
      263: { PACKET_ADD_MEMBERSHIP: 1 },
      270: { NETLINK_ADD_MEMBERSHIP: 1 },
    };
    for (const [level, names] of Object.entries(refused))
      for (const [name, number] of Object.entries(names))
        expect(set(Number(level), number), name).toBe(errno(ENOPROTOOPT));
    // The kernel takes both for `int`.
    expect(depends('setsockopt', 3, 0x1_0000_0000 + SOCKET, 0x1_0000_0000 + 26)).toBe(errno(ENOPROTOOPT));
  });

  test('attaches no filter, watches no file by lease or dnotify, takes no huge page', () => {
    const [SET_SECCOMP, SET_NAME, SET_VMA] = [22, 15, 0x5356_4d41];
    expect(depends('prctl', SET_NAME)).toBe(ALLOW);
    for (const option of [SET_SECCOMP, SET_VMA]) expect(depends('prctl', option)).toBe(errno(EINVAL));
    const [STRICT, FILTER, AVAILABLE, SIZES] = [0, 1, 2, 3];
    // That of a sandbox leaves its agent the plainest way to attach one, which takes it from every program.
    expect([depends('seccomp', FILTER), depends('seccomp', FILTER, 1)]).toEqual([ALLOW, errno(EINVAL)]);
    expect(ofProgram('seccomp', FILTER)).toBe(errno(EINVAL));
    for (const call of [depends, ofProgram]) {
      expect(call('seccomp', STRICT)).toBe(errno(EINVAL));
      for (const operation of [AVAILABLE, SIZES]) expect(call('seccomp', operation)).toBe(ALLOW);
    }
    const [SETFL, SETPIPE_SZ, SETLK, SETLEASE, NOTIFY, OFD_SETLK, OFD_SETLKW] = [
      4, 1031, 6, 1024, 1026, 37, 38,
    ];
    for (const command of [SETFL, SETPIPE_SZ, SETLK]) expect(depends('fcntl', 3, command)).toBe(ALLOW);
    for (const command of [SETLEASE, NOTIFY, OFD_SETLK, OFD_SETLKW])
      expect(depends('fcntl', 3, command)).toBe(errno(EINVAL));
    const [ANONYMOUS, HUGE] = [0x22, 0x4_0000];
    expect(depends('mmap', 0, 4096, 3, ANONYMOUS, 0xffff_ffff)).toBe(ALLOW);
    expect(depends('mmap', 0, 4096, 3, ANONYMOUS | HUGE | (21 << 26), 0xffff_ffff)).toBe(errno(ENOMEM));
    expect(depends('memfd_create', 0x7fff_0000, 3)).toBe(ALLOW);
    expect(depends('memfd_create', 0x7fff_0000, 4)).toBe(errno(EINVAL));
    expect(depends('shmget', 0, 4096, 0o1600)).toBe(ALLOW);
    expect(depends('shmget', 0, 4096, 0o5600)).toBe(errno(EPERM));
  });

  test('pushes no characters into terminals, loads no module by them and changes no personality', () => {
    const [TCGETS, TIOCSTI, TIOCLINUX, TIOCSETD, SIOCGIFVLAN] = [0x5401, 0x5412, 0x541c, 0x5423, 0x8982];
    expect(depends('ioctl', 0, TCGETS)).toBe(ALLOW);
    for (const request of [TIOCSTI, TIOCLINUX, TIOCSETD, SIOCGIFVLAN])
      expect(depends('ioctl', 0, request)).toBe(errno(EPERM));
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
