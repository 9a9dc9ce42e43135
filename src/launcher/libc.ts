import { dlopen, FFIType, ptr as ptrOf, read } from 'bun:ffi';
import { chmodSync, mkdirSync, rmdirSync } from 'node:fs';
import { MS } from './steps.ts';

/** The system calls that Bun has no name for: mounting, and a socket whose descriptor is ours to hand on. */

const { i32, u64, i64_fast, ptr } = FFIType;
const { symbols: c } = dlopen('libc.so.6', {
  mount: { args: [ptr, ptr, ptr, u64, ptr], returns: i32 },
  umount2: { args: [ptr, i32], returns: i32 },
  pivot_root: { args: [ptr, ptr], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  connect: { args: [i32, ptr, i32], returns: i32 },
  write: { args: [i32, ptr, u64], returns: i64_fast },
  close: { args: [i32], returns: i32 },
  getrlimit: { args: [i32, ptr], returns: i32 },
  execve: { args: [ptr, ptr, ptr], returns: i32 },
  setrlimit: { args: [i32, ptr], returns: i32 },
  // As fspick(root, path, flags) and as fsconfig(context, command, name, value, 0).
  syscall: { args: [i32, i32, u64, u64, u64, i32], returns: i64_fast },
  __errno_location: { args: [], returns: ptr },
});

const MNT_DETACH = 2;
const AT_FDCWD = -100;
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 0o2000001;

const cstring = (text: string) => new TextEncoder().encode(`${text}\0`);

function check(what: string, result: number): number {
  if (Number(result) < 0) throw new Error(`${what} failed (errno ${read.i32(c.__errno_location(), 0)})`);
  return Number(result);
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly type?: string | undefined;
  readonly flags: number;
  readonly data?: string | undefined;
}

/** mount(2) */
export function mount({ source, target, type, flags, data }: Mount): void {
  const text = (value?: string) => (value ? cstring(value) : null);
  check(`mount ${type ?? source}`, c.mount(cstring(source), cstring(target), text(type), flags, text(data)));
}

/** Shows a file or directory, with what is mounted in it, at another place too. */
export function bind(source: string, target: string): void {
  mount({ source, target, flags: MS.BIND | MS.REC });
}

/** Makes a mounted directory the root and forgets the old one, and with it all that is mounted there (pivot_root(2)). */
export function enterRoot(root: string): void {
  const old = `${root}/old`;
  mkdirSync(old);
  check('pivot_root', c.pivot_root(cstring(root), cstring(old)));
  process.chdir('/');
  unmount('/old');
  rmdirSync('/old');
}

/** Takes a mount out of sight at once; it ends when nothing uses it any more. */
export function unmount(target: string): void {
  check('umount', c.umount2(cstring(target), MNT_DETACH));
}

/** Has a program take this process's place, with its standard streams. @throws {Error} when it can't (execve(2)) */
export function become(path: string, words: readonly string[], env: readonly string[]): never {
  const texts = [...words, ...env].map(cstring);
  const list = (of: typeof texts) => BigUint64Array.from([...of.map(text => BigInt(ptrOf(text))), 0n]);
  const [argv, envp] = [list(texts.slice(0, words.length)), list(texts.slice(words.length))];
  return check(`starting ${path}`, c.execve(cstring(path), argv, envp)) as never;
}

/** Keeps what the kernel is given the address of. */
let kept: Uint8Array[] = [];

function address(text: string): number {
  const bytes = cstring(text);
  kept.push(bytes);
  return Number(ptrOf(bytes));
}

function call(what: string, number: number, fd: number, ...rest: [number, number, number]): number {
  const result = Number(c.syscall(number, fd, ...rest, 0));
  kept = [];
  return check(what, result);
}

/** Their numbers on x86_64 and aarch64 (getrlimit(2)). */
const RLIMITS = { nofile: 7, memlock: 8, sigpending: 11, msgqueue: 12, nice: 13, rtprio: 14 } as const;

/** Sets a limit of this process and of all that it starts, as far as its hard limit lets; without a value to that. */
export function setLimit(name: keyof typeof RLIMITS, value?: number): void {
  const limits = new BigUint64Array(2);
  check(`getrlimit ${name}`, c.getrlimit(RLIMITS[name], limits));
  const [, hard = 0n] = limits;
  const soft = value !== undefined && BigInt(value) < hard ? BigInt(value) : hard;
  limits.set([soft, value === undefined ? hard : soft]);
  check(`setrlimit ${name}`, c.setrlimit(RLIMITS[name], limits));
}

const MKNODAT = process.arch === 'arm64' ? 33 : 259;
const S_IFCHR = 0o020000;

function makeNode(path: string, device: number): void {
  const result = c.syscall(MKNODAT, AT_FDCWD, Number(ptrOf(cstring(path))), S_IFCHR | 0o666, device, 0);
  check(`mknod ${path}`, Number(result));
}

/** A character device that all may use, of a major and a minor number. An ordinary user may make none (mknod(2)). */
export function makeDevice(path: string, major: number, minor: number): void {
  makeNode(path, (major << 8) | minor);
  chmodSync(path, 0o666);
}

/** What hides a name of the layers below it in an overlay; anybody may make one since Linux 5.8 (overlayfs.rst). */
export function makeWhiteout(path: string): void {
  makeNode(path, 0);
}

const FSPICK = 433;
const FSCONFIG = 431;
const FSPICK_CLOEXEC_EMPTY_PATH = 0x9;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_RECONFIGURE = 7;

/**
 * Gives a file system, known by an open descriptor of its root, other options: it need not be mounted anywhere that
 * this process can see. Since Linux 5.2 (fspick(2)).
 */
export function reconfigure(root: number, options: Readonly<Record<string, string>>): void {
  const context = call('fspick', FSPICK, root, address(''), FSPICK_CLOEXEC_EMPTY_PATH, 0);
  try {
    for (const [name, value] of Object.entries(options)) {
      call(`fsconfig ${name}`, FSCONFIG, context, FSCONFIG_SET_STRING, address(name), address(value));
    }
    call('fsconfig', FSCONFIG, context, FSCONFIG_CMD_RECONFIGURE, 0, 0);
  } finally {
    c.close(context);
  }
}

const MOUNT_SETATTR = 442;
const AT_RECURSIVE = 0x8000;

/** Sets flags of a mount, and with `recursive` of all that are mounted in it. Since Linux 5.12 (mount_setattr(2)). */
export function setMountFlags(target: string, flags: number, { recursive = false } = {}): void {
  // struct mount_attr: what is set, what is cleared, propagation, user namespace. The first flags have mount(2)'s numbers.
  const attributes = new BigUint64Array([BigInt(flags), 0n, 0n, 0n]);
  const path = cstring(target);
  const deep = recursive ? AT_RECURSIVE : 0;
  const size = attributes.byteLength;
  const result = c.syscall(
    MOUNT_SETATTR,
    AT_FDCWD,
    Number(ptrOf(path)),
    deep,
    Number(ptrOf(attributes)),
    size,
  );
  check(`mount_setattr ${target}`, Number(result));
}

/** Connects to an abstract Unix socket and says who is there. The descriptor is the caller's to close. */
export function connectAbstract(name: string, greeting: string): number {
  const fd = check('socket', c.socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0));
  try {
    // struct sockaddr_un: u16 family, then a NUL and the name (unix(7)).
    const bytes = new TextEncoder().encode(name);
    const address = new Uint8Array(3 + bytes.byteLength);
    address[0] = AF_UNIX;
    address.set(bytes, 3);
    check('connect', c.connect(fd, address, address.byteLength));
    const text = new TextEncoder().encode(greeting);
    check('write', c.write(fd, text, text.byteLength));
    return fd;
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

export function closeFd(fd: number): void {
  c.close(fd);
}
