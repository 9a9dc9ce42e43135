import { type Architecture, CONDITIONAL, systemCalls } from './table.ts';

/**
 * The seccomp filter as the kernel takes it: classic BPF (linux/filter.h, linux/seccomp.h). Pure: a table in, bytes
 * out. Numbers are found by binary search, so that a frequent call costs about seven comparisons.
 */

const LOAD = 0x20;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER = 0x25;
const JUMP_GREATER_EQUAL = 0x35;
const JUMP_ANY_BIT = 0x45;
const JUMP = 0x05;
const RETURN = 0x06;

const ALLOW = 0x7fff0000;
const KILL_PROCESS = 0x80000000;
const refuse = (errno: number) => 0x00050000 | errno;
const EPERM = refuse(1);
const ENOSYS = refuse(38);
const EAFNOSUPPORT = refuse(97);

/** struct seccomp_data: int nr; u32 arch; u64 instruction_pointer; u64 args[6]. */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number) => 16 + 8 * index;

/** linux/audit.h */
const AUDIT_ARCH: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Calls of the x32 ABI carry this bit on x86_64. */
const X32 = 0x40000000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (linux/sched.h). */
const CLONE_NEW = 0x7e020000;
const CLONE3 = 435;
/** Newer calls answer ENOSYS, so that a C library falls back; older ones that are not allowed EPERM. */
const NEWEST_KNOWN = 450;
const AF_NETLINK = 16;
const SOCKET_FAMILIES = { AF_UNIX: 1, AF_INET: 2, AF_INET6: 10 };
/** Typing into somebody's terminal, and the console's own commands (asm-generic/ioctls.h). */
const IOCTLS = { TIOCSTI: 0x5412, TIOCSETD: 0x5423, TIOCLINUX: 0x541c };
/** PER_LINUX, PER_LINUX32, both with UNAME26, and the query. */
const PERSONALITIES = [0, 0x0008, 0x20000, 0x20008, 0xffffffff];

interface Instruction {
  readonly code: number;
  readonly k: number;
  readonly yes?: number;
  readonly no?: number;
}

/** The filter's bytes for `bwrap --seccomp`. */
export function seccompFilter(architecture: Architecture): Uint8Array {
  const calls = systemCalls(architecture);
  const program: Instruction[] = [
    { code: LOAD, k: ARCH },
    { code: JUMP_EQUAL, k: AUDIT_ARCH[architecture], yes: 1 },
    { code: RETURN, k: KILL_PROCESS },
    { code: LOAD, k: NUMBER },
    { code: JUMP_GREATER_EQUAL, k: X32, no: 1 },
    { code: RETURN, k: ENOSYS },
    ...CONDITIONAL.flatMap(name => when(calls.get(name)!, CONDITIONS[name])),
    ...search(ranges([...calls.values()])),
  ];
  return assemble(program);
}

/** Instructions for one call; they always return. */
function when(number: number, body: Instruction[]): Instruction[] {
  return [{ code: JUMP_EQUAL, k: number, no: body.length }, ...body];
}

/** Refuses the values of an argument, and allows all others; or the other way round. */
function among(index: number, values: readonly number[], found: number, otherwise: number): Instruction[] {
  const tests = values.map((value, i) => ({ code: JUMP_EQUAL, k: value, yes: values.length - i }));
  return [
    { code: LOAD, k: argument(index) },
    ...tests,
    { code: RETURN, k: otherwise },
    { code: RETURN, k: found },
  ];
}

const CONDITIONS: Record<(typeof CONDITIONAL)[number], Instruction[]> = {
  clone: [
    { code: LOAD, k: argument(0) },
    { code: JUMP_ANY_BIT, k: CLONE_NEW, no: 1 },
    { code: RETURN, k: EPERM },
    { code: RETURN, k: ALLOW },
  ],
  socket: [
    { code: LOAD, k: argument(0) },
    { code: JUMP_EQUAL, k: AF_NETLINK, no: 2 },
    { code: LOAD, k: argument(2) },
    // NETLINK_ROUTE, which lists one's own interfaces
    {
      code: JUMP_EQUAL,
      k: 0,
      yes: Object.keys(SOCKET_FAMILIES).length + 2,
      no: Object.keys(SOCKET_FAMILIES).length + 1,
    },
    ...among(0, Object.values(SOCKET_FAMILIES), ALLOW, EAFNOSUPPORT),
  ],
  ioctl: among(1, Object.values(IOCTLS), EPERM, ALLOW),
  personality: among(0, PERSONALITIES, ALLOW, EPERM),
};

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Runs of neighbouring numbers. */
function ranges(numbers: readonly number[]): Range[] {
  const sorted = [...numbers].sort((a, b) => a - b);
  const found: { first: number; last: number }[] = [];
  for (const number of sorted) {
    const previous = found.at(-1);
    if (previous && number <= previous.last + 1) previous.last = number;
    else found.push({ first: number, last: number });
  }
  return found;
}

/** Allows what lies in a range. */
function search(sorted: readonly Range[]): Instruction[] {
  if (sorted.length === 1) {
    const { first, last } = sorted[0]!;
    return [
      { code: JUMP_GREATER, k: last, yes: 2 },
      { code: JUMP_GREATER_EQUAL, k: first, no: 1 },
      { code: RETURN, k: ALLOW },
      { code: JUMP_EQUAL, k: CLONE3, yes: 1 },
      { code: JUMP_GREATER, k: NEWEST_KNOWN, no: 1 },
      { code: RETURN, k: ENOSYS },
      { code: RETURN, k: EPERM },
    ];
  }
  const middle = sorted.length >> 1;
  const left = search(sorted.slice(0, middle));
  const right = search(sorted.slice(middle));
  return [...jumpIfAtLeast(sorted[middle]!.first, left.length), ...left, ...right];
}

/** A conditional jump reaches 255 instructions; further goes by an unconditional one. */
function jumpIfAtLeast(k: number, distance: number): Instruction[] {
  if (distance <= 255) return [{ code: JUMP_GREATER_EQUAL, k, yes: distance }];
  return [
    { code: JUMP_GREATER_EQUAL, k, no: 1 },
    { code: JUMP, k: distance },
  ];
}

/** struct sock_filter: u16 code; u8 jt; u8 jf; u32 k. */
function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [i, { code, k, yes = 0, no = 0 }] of program.entries()) {
    view.setUint16(i * 8, code, true);
    view.setUint8(i * 8 + 2, yes);
    view.setUint8(i * 8 + 3, no);
    view.setUint32(i * 8 + 4, k, true);
  }
  return bytes;
}
