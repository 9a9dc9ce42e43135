import { dlopen, FFIType, ptr, read } from 'bun:ffi';

/**
 * The C library, as far as the agent needs it. The agent never returns to Bun's event loop, so nothing of Bun's own
 * input and output is used: a system call costs half a microsecond this way, and every byte and descriptor is ours.
 * Flags are Linux's for x86_64 and aarch64.
 */

const { i32, u32, i64_fast, ptr: p, u64 } = FFIType;

const { symbols: c } = dlopen('libc.so.6', {
  prctl: { args: [i32, u64, u64, u64, u64], returns: i32 },
  setpriority: { args: [i32, i32, i32], returns: i32 },
  poll: { args: [p, u64, i32], returns: i32 },
  read: { args: [i32, p, u64], returns: i64_fast },
  write: { args: [i32, p, u64], returns: i64_fast },
  pread: { args: [i32, p, u64, i64_fast], returns: i64_fast },
  openat: { args: [i32, p, i32, u32], returns: i32 },
  ftruncate: { args: [i32, i64_fast], returns: i32 },
  close: { args: [i32], returns: i32 },
  fcntl: { args: [i32, i32, i32], returns: i32 },
  ioctl: { args: [i32, u64, p], returns: i32 },
  pipe2: { args: [p, i32], returns: i32 },
  socketpair: { args: [i32, i32, i32, p], returns: i32 },
  mkfifo: { args: [p, u32], returns: i32 },
  fchmodat: { args: [i32, p, u32, i32], returns: i32 },
  mkdirat: { args: [i32, p, u32], returns: i32 },
  unlinkat: { args: [i32, p, i32], returns: i32 },
  renameat2: { args: [i32, p, i32, p, u32], returns: i32 },
  readlinkat: { args: [i32, p, p, u64], returns: i64_fast },
  statx: { args: [i32, p, i32, u32, p], returns: i32 },
  fstatfs: { args: [i32, p], returns: i32 },
  faccessat: { args: [i32, p, i32, i32], returns: i32 },
  getdents64: { args: [i32, p, u64], returns: i64_fast },
  kill: { args: [i32, i32], returns: i32 },
  waitpid: { args: [i32, p, i32], returns: i32 },
  getpid: { args: [], returns: i32 },
  _exit: { args: [i32], returns: i32 },
  clock_gettime: { args: [i32, p], returns: i32 },
  syscall: { args: [i64_fast, i64_fast, i64_fast], returns: i64_fast },
  sigaction: { args: [i32, p, p], returns: i32 },
  dlsym: { args: [p, p], returns: p },
  posix_spawn: { args: [p, p, p, p, p, p], returns: i32 },
  posix_spawn_file_actions_init: { args: [p], returns: i32 },
  posix_spawn_file_actions_destroy: { args: [p], returns: i32 },
  posix_spawn_file_actions_adddup2: { args: [p, i32, i32], returns: i32 },
  posix_spawn_file_actions_addfchdir_np: { args: [p, i32], returns: i32 },
  posix_spawn_file_actions_addclosefrom_np: { args: [p, i32], returns: i32 },
  posix_spawnattr_init: { args: [p], returns: i32 },
  posix_spawnattr_setflags: { args: [p, FFIType.i16], returns: i32 },
  posix_spawnattr_setsigdefault: { args: [p, p], returns: i32 },
  posix_spawnattr_setsigmask: { args: [p, p], returns: i32 },
  __errno_location: { args: [], returns: p },
});

export { c, ptr };

const arm = process.arch === 'arm64';
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  NOCTTY: 0o400,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  NOFOLLOW: arm ? 0o100000 : 0o400000,
} as const;

export const AT_FDCWD = -100;
export const AT_REMOVEDIR = 0x200;
export const RENAME_NOREPLACE = 1;

export const E = {
  EINTR: 4,
  ENOENT: 2,
  EIO: 5,
  EAGAIN: 11,
  EACCES: 13,
  EEXIST: 17,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  EPERM: 1,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENAMETOOLONG: 36,
  ENOEXEC: 8,
  EXDEV: 18,
} as const;

const errnoAt = c.__errno_location()!;
/** Of the call just made. */
export const errno = (): number => read.i32(errnoAt, 0);

const encoder = new TextEncoder();
const lenient = new TextDecoder();
/** A string as C has it. */
export const cstring = (text: string): Uint8Array => encoder.encode(`${text}\0`);
export const decode = (bytes: Uint8Array): string => lenient.decode(bytes);

/** A system call that failed. */
export class SystemError extends Error {
  readonly errno: number;
  constructor(call: string, code: number) {
    super(`${call}: errno ${code}`);
    this.errno = code;
  }
}

export function check(call: string, result: number | bigint): number {
  const value = Number(result);
  if (value < 0) throw new SystemError(call, errno());
  return value;
}

const number = new Int32Array(2);

/** Bytes that wait to be read from a pipe or a stream socket. */
export function available(fd: number): number {
  return c.ioctl(fd, 0x541b, number) < 0 ? 0 : number[0]!;
}

export function pipe(): [read: number, write: number] {
  check('pipe2', c.pipe2(number, O.CLOEXEC));
  return [number[0]!, number[1]!];
}

/** Two ends of a stream socket. */
export function socketPair(): [number, number] {
  check('socketpair', c.socketpair(1, 1 | O.CLOEXEC, 0, number));
  return [number[0]!, number[1]!];
}

export function setNonBlocking(fd: number): void {
  const flags = check('fcntl', c.fcntl(fd, 3, 0));
  check('fcntl', c.fcntl(fd, 4, flags | O.NONBLOCK));
}

const status = new Int32Array(1);

/** One child that has ended and its status; null when none has. */
export function reapOne(): { pid: number; status: number } | null {
  const pid = c.waitpid(-1, status, 1);
  return pid > 0 ? { pid, status: status[0]! } : null;
}

const clock = new BigInt64Array(2);

/** Hundredths of a second since boot, the unit of a process's start in /proc. */
export function bootTicks(): number {
  c.clock_gettime(7, clock);
  return Number(clock[0]!) * 100 + Math.floor(Number(clock[1]!) / 1e7);
}

/** What a process has used of the CPU, milliseconds; 0 where there is none (clock_getcpuclockid(3): its number, inverted). */
export function cpuTime(pid: number): number {
  const CPUCLOCK_SCHED = 2;
  if (c.clock_gettime((~pid << 3) | CPUCLOCK_SCHED, clock) !== 0) return 0;
  return Number(clock[0]!) * 1000 + Math.floor(Number(clock[1]!) / 1e6);
}

/** A descriptor that becomes readable when the process ends; negative where the kernel has none. */
export function pidfd(pid: number): number {
  return Number(c.syscall(434, pid, 0));
}

const SIGCHLD = 17;
const SIGPIPE = 13;
const SIGNALS = 64;
const SIG_IGN = 1n;

/**
 * Gives every signal its default action again, whatever Bun had in mind: process 1 of a sandbox does not feel a
 * signal from inside that it has no handler for (pid_namespaces(7)).
 */
export function takeNoSignals(): void {
  const action = new Uint8Array(152);
  for (let signal = 1; signal <= SIGNALS; signal++) c.sigaction(signal, action, null);
  // A program that closes its input is told by the write itself.
  new DataView(action.buffer).setBigUint64(0, SIG_IGN, true);
  c.sigaction(SIGPIPE, action, null);
}

/** Makes SIGCHLD interrupt poll(2) and do nothing else: its handler is a function of libc without effects. */
export function wakeOnChild(): void {
  const action = new Uint8Array(152);
  const handler = c.dlsym(null, cstring('abs'));
  new DataView(action.buffer).setBigUint64(0, BigInt(handler ?? 0), true);
  if (handler) c.sigaction(SIGCHLD, action, null);
}

export type FileType = 'file' | 'directory' | 'symlink' | 'other';
export interface Stat {
  readonly type: FileType;
  readonly size: number;
  /** All of a sandbox's files lie on one file system. */
  readonly inode: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

const statBytes = new Uint8Array(256);
const statBuffer = new DataView(statBytes.buffer);
const EMPTY_PATH = cstring('');

/** What `name` in a directory is, a link not followed; of the descriptor itself without a name. */
export function stat(fd: number, name?: Uint8Array): Stat {
  const flags = 0x100 | (name ? 0 : 0x1000);
  check('statx', c.statx(fd, name ?? EMPTY_PATH, flags, 0x7ff, statBytes));
  const kind = statBuffer.getUint16(28, true) & 0o170000;
  return {
    type:
      kind === 0o100000 ? 'file' : kind === 0o40000 ? 'directory' : kind === 0o120000 ? 'symlink' : 'other',
    size: Number(statBuffer.getBigUint64(40, true)),
    inode: Number(statBuffer.getBigUint64(32, true)),
    modifiedAt:
      Number(statBuffer.getBigInt64(112, true)) * 1000 + Math.floor(statBuffer.getUint32(120, true) / 1e6),
  };
}

/** Where a symbolic link that `fd` names points. */
export function readLink(fd: number): string {
  const buffer = new Uint8Array(4096);
  return decode(buffer.subarray(0, check('readlinkat', c.readlinkat(fd, EMPTY_PATH, buffer, 4096))));
}

/** Names in an open directory, as bytes with their NUL, without `.` and `..`. */
export function* names(fd: number): Generator<Uint8Array> {
  const buffer = new Uint8Array(32 * 1024);
  const view = new DataView(buffer.buffer);
  while (true) {
    const length = check('getdents64', c.getdents64(fd, buffer, buffer.byteLength));
    if (length === 0) return;
    for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
      const name = buffer.slice(at + 19, buffer.indexOf(0, at + 19) + 1);
      const dot = name[0] === 46 && (name[1] === 0 || (name[1] === 46 && name[2] === 0));
      if (!dot) yield name;
    }
  }
}

export function openDirectory(dir: number, name: Uint8Array): number {
  return check(
    'openat',
    c.openat(dir, name, O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK, 0),
  );
}

/** The whole of a small file of /proc; empty when it is gone. */
export function readSmall(path: string): string {
  const fd = c.openat(AT_FDCWD, cstring(path), O.RDONLY | O.CLOEXEC, 0);
  if (fd < 0) return '';
  const buffer = new Uint8Array(1024);
  const length = Number(c.read(fd, buffer, buffer.byteLength));
  c.close(fd);
  return length > 0 ? decode(buffer.subarray(0, length)) : '';
}

/** Shares of blocks and inodes in use, 0 to 1. */
export function diskUse(fd: number): { blocks: number; inodes: number } {
  const buffer = new BigUint64Array(32);
  check('fstatfs', c.fstatfs(fd, buffer));
  const used = (all: bigint, free: bigint) => (all === 0n ? 0 : Number(all - free) / Number(all));
  return { blocks: used(buffer[2]!, buffer[3]!), inodes: used(buffer[5]!, buffer[6]!) };
}
