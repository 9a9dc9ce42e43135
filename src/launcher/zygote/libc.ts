import { dlopen, FFIType, ptr, read } from 'bun:ffi';
import { readFileSync } from 'node:fs';

/** The system calls that make a process a sandbox of its own. Flags are Linux's for x86_64 and aarch64. */

const { i32, u32, i64_fast, u64, ptr: p } = FFIType;

const { symbols: c } = dlopen('libc.so.6', {
  // As clone(flags, 0, 0, 0, 0): the order of the others differs between architectures.
  syscall: { args: [i64_fast, u64, u64, u64, u64, u64], returns: i64_fast },
  _exit: { args: [i32], returns: i32 },
  waitpid: { args: [i32, p, i32], returns: i32 },
  kill: { args: [i32, i32], returns: i32 },
  poll: { args: [p, u64, i32], returns: i32 },
  pipe2: { args: [p, i32], returns: i32 },
  read: { args: [i32, p, u64], returns: i64_fast },
  write: { args: [i32, p, u64], returns: i64_fast },
  open: { args: [p, i32, u32], returns: i32 },
  close: { args: [i32], returns: i32 },
  close_range: { args: [u32, u32, i32], returns: i32 },
  dup2: { args: [i32, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  fcntl: { args: [i32, i32, i32], returns: i32 },
  mkdir: { args: [p, u32], returns: i32 },
  socketpair: { args: [i32, i32, i32, p], returns: i32 },
  execvpe: { args: [p, p, p], returns: i32 },
  sigprocmask: { args: [i32, p, p], returns: i32 },
  sigaction: { args: [i32, p, p], returns: i32 },
  connect: { args: [i32, p, i32], returns: i32 },
  ioctl: { args: [i32, u64, p], returns: i32 },
  unshare: { args: [i32], returns: i32 },
  mount: { args: [p, p, p, u64, p], returns: i32 },
  umount2: { args: [p, i32], returns: i32 },
  pivot_root: { args: [p, p], returns: i32 },
  chdir: { args: [p], returns: i32 },
  umask: { args: [u32], returns: u32 },
  setrlimit: { args: [i32, p], returns: i32 },
  sethostname: { args: [p, u64], returns: i32 },
  setsid: { args: [], returns: i32 },
  setgroups: { args: [u64, p], returns: i32 },
  setresgid: { args: [u32, u32, u32], returns: i32 },
  setresuid: { args: [u32, u32, u32], returns: i32 },
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
  capset: { args: [p, p], returns: i32 },
  madvise: { args: [u64, u64, i32], returns: i32 },
  __errno_location: { args: [], returns: p },
});

export { c, ptr };

const errnoAt = c.__errno_location()!;

/** Throws when a call failed; nothing in here may go on without what it asked for. */
export function check(what: string, result: number | bigint): number {
  if (Number(result) < 0) throw new Error(`${what} failed (errno ${read.i32(errnoAt, 0)})`);
  return Number(result);
}

const encoder = new TextEncoder();
export const cstring = (text: string): Uint8Array => encoder.encode(`${text}\0`);

const O_WRONLY_CLOEXEC = 0o2000001;

/** Writes a file of the kernel's, in one piece. */
export function writeFile(path: string, text: string): void {
  const fd = check(`opening ${path}`, c.open(cstring(path), O_WRONLY_CLOEXEC, 0));
  const bytes = encoder.encode(text);
  check(`writing ${path}`, c.write(fd, bytes, bytes.byteLength));
  c.close(fd);
}

const SYS_CLONE = process.arch === 'arm64' ? 220 : 56;
const CLONE_PIDFD = 0x1000;
const CLONE_NEWPID = 0x2000_0000;
const SIGCHLD = 17;

export interface Forked {
  readonly pid: number;
  /** A descriptor that can be read from once it has ended (pidfd_open(2)). */
  readonly process: number;
}

/**
 * Forks; the child is process 1 of a new process namespace. Null in the child. By the system call itself, as fork(3) takes
 * no namespace: what the C library would do beside it concerns other threads, of which there are none.
 */
export function forkIntoNamespace(): Forked | null {
  return clone(CLONE_NEWPID);
}

/** Forks, as the same program. */
export function forkHere(): Forked | null {
  return clone(0);
}

function clone(flags: number): Forked | null {
  const process = new Int32Array(1);
  const all = BigInt(flags | CLONE_PIDFD | SIGCHLD);
  const pid = check('clone', c.syscall(SYS_CLONE, all, 0, BigInt(ptr(process)), 0, 0));
  return pid === 0 ? null : { pid, process: process[0]! };
}

const F_SETFL = 4;
const O_NONBLOCK = 0o4000;

/** Reads and writes here fail instead of waiting. */
export function neverWait(fd: number): void {
  check('fcntl', c.fcntl(fd, F_SETFL, O_NONBLOCK));
}

/** Two ends of a stream socket, both closed by an execve. */
export function socketPair(): [number, number] {
  const ends = new Int32Array(2);
  check('socketpair', c.socketpair(1, 1 | 0o2000000, 0, ends));
  return [ends[0]!, ends[1]!];
}

const MADV_DOFORK = 11;

/**
 * JavaScriptCore keeps its heap from its children, which are other programs as a rule. Here they are the same one: what
 * /proc/self/smaps marks "do not copy on fork" is given to them (madvise(2), proc(5)).
 */
export function shareMemoryWithChildren(): void {
  let range: readonly [bigint, bigint] | undefined;
  for (const line of readFileSync('/proc/self/smaps', 'latin1').split('\n')) {
    const bounds = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (bounds) range = [BigInt(`0x${bounds[1]}`), BigInt(`0x${bounds[2]}`)];
    if (!range || !/^VmFlags:.* dc\b/.test(line)) continue;
    check('madvise', c.madvise(range[0], range[1] - range[0], MADV_DOFORK));
  }
}
