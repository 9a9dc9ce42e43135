import { BASE, DISK, INSIDE_UID } from '../layout.ts';
import { bind, MS, mount } from '../libc.ts';
import type { Order } from '../order.ts';
import { NETWORK_SETTINGS } from '../plan.ts';
import { RESOURCE_LIMITS } from '../resource-limits.ts';
import { showDevices, showView } from '../show-view.ts';
import type { View } from '../view.ts';
import { c, check, cstring, ptr, writeFile } from './libc.ts';

export const CLONE = {
  newNamespaces: 0x0002_0000,
  newGroups: 0x0200_0000,
  newHostName: 0x0400_0000,
  newIpc: 0x0800_0000,
  newUsers: 0x1000_0000,
  newNetwork: 0x4000_0000,
} as const;

const MNT_DETACH = 2;
export const RLIMIT = { CORE: 4, NOFILE: 7 } as const;
const PR = {
  DUMPABLE: 4,
  PDEATHSIG: 1,
  SECCOMP: 22,
  CAPBSET_READ: 23,
  CAPBSET_DROP: 24,
  NO_NEW_PRIVS: 38,
} as const;
const SECCOMP_MODE_FILTER = 2n;
const SIGKILL = 9n;
const AF_UNIX = 1;
const AF_INET = 2;
const STREAM_CLOEXEC = 0o2000001;
const READ_WRITE_CLOEXEC = 0o2000002;
const DATAGRAM_CLOEXEC = 0o2000002;
const SIOCSIFFLAGS = 0x8914n;
const IFF_UP_RUNNING = 0x41;
const CAPABILITY_VERSION_3 = 0x2008_0522;
/** More than any kernel knows; those it does not know it refuses. */
const CAPABILITIES = 64;
export const LAST_DESCRIPTOR = 0xffff_ffff;

interface Parts {
  readonly filter: Uint8Array;
  readonly view: View;
  /** See {@link wallIn}. */
  readonly kept: number;
}

/**
 * Makes the calling process, just forked by a privileged one into a new process namespace, a sandbox: in its control
 * groups before anything else, with namespaces of its own for all there is one for, with a root that shows what
 * bubblewrap would show (src/launcher/plan.ts), as a user without a single capability anywhere, and under the
 * system call filter. The namespaces belong to the host's own user namespace and the process ends in one below it, so
 * that whatever it may become in there, it is nobody to them.
 *
 * Standard input and output are its stream to the server afterwards, standard error stays, and of all other descriptors
 * only `kept` is open, which is a /dev/null of its own then.
 * @throws {Error} at the first step that is refused; the process must end then
 */
export function wallIn(order: Order, { filter, view, kept }: Parts): void {
  for (const file of order.procs) writeFile(file, '0');
  limit(RLIMIT.CORE, RESOURCE_LIMITS.core);
  c.umask(0o022);
  check('setsid', c.setsid());
  const stream = greet(order);
  const { newNamespaces, newGroups, newHostName, newIpc, newNetwork } = CLONE;
  check('unshare', c.unshare(newNamespaces | newGroups | newHostName | newIpc | newNetwork));
  limitSockets();
  enterRoot(order.disk, view);
  check('sethostname', c.sethostname(cstring('sandbox'), 7));
  startLoopback();
  takeDescriptors(stream, kept);
  // After those of all other sandboxes are closed: nothing can be opened while more are taken than may be.
  limit(RLIMIT.NOFILE, order.openFiles);
  becomeNobody(order.uid);
  dropCapabilities();
  // Given up by every change of user, so it comes last.
  check('PR_SET_PDEATHSIG', c.prctl(PR.PDEATHSIG, SIGKILL, 0, 0, 0));
  applyFilter(filter);
}

export function limit(resource: number, value: number): void {
  const both = new BigUint64Array([BigInt(value), BigInt(value)]);
  check('setrlimit', c.setrlimit(resource, both));
}

/** Of the network namespace that the caller is in. Where /proc/sys can't be written, they are watched all the same. */
function limitSockets(): void {
  try {
    for (const [name, value] of Object.entries(NETWORK_SETTINGS))
      writeFile(`/proc/sys/${name.replaceAll('.', '/')}`, value);
  } catch {
    // See src/agent/sockets.ts.
  }
}

/** Connects to the server, from the host's network namespace: there is no way out of its own. */
function greet({ socket, greeting }: Order): number {
  const fd = check('socket', c.socket(AF_UNIX, STREAM_CLOEXEC, 0));
  // struct sockaddr_un: u16 family, then a NUL and the name (unix(7)).
  const name = new TextEncoder().encode(socket);
  const address = new Uint8Array(3 + name.byteLength);
  address[0] = AF_UNIX;
  address.set(name, 3);
  check('connect', c.connect(fd, address, address.byteLength));
  const text = new TextEncoder().encode(greeting);
  check('write', c.write(fd, text, text.byteLength));
  return fd;
}

/** Puts its root together and makes it the only one. */
function enterRoot(disk: string, view: View): void {
  const { root } = BASE;
  showView(view, root);
  showDevices(view, root);
  mount('proc', `${root}/proc`, MS.NOSUID | MS.NODEV | MS.NOEXEC);
  for (const { path, by } of view.masks) bind(`${root}${by}`, `${root}${path}`);
  bind(`${disk}/pts`, `${root}/dev/pts`);
  for (const [name, target] of Object.entries(DISK)) bind(`${disk}/${name}`, `${root}${target}`);
  pivotTo(root);
}

/** Makes a mounted directory the root, and all that was mounted before unreachable. */
export function pivotTo(root: string): void {
  check('chdir', c.chdir(cstring(root)));
  // Both in one place: the old root lies on top of the new one until it is taken away (pivot_root(2)).
  check('pivot_root', c.pivot_root(cstring('.'), cstring('.')));
  check('umount2', c.umount2(cstring('.'), MNT_DETACH));
  check('chdir', c.chdir(cstring('/workspace')));
}

/** 127.0.0.1 and ::1 come with it. */
function startLoopback(): void {
  const fd = check('socket', c.socket(AF_INET, DATAGRAM_CLOEXEC, 0));
  // struct ifreq: the name, 16 bytes, and the flags (netdevice(7)).
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode('lo'));
  request[16] = IFF_UP_RUNNING;
  check('SIOCSIFFLAGS', c.ioctl(fd, SIOCSIFFLAGS, request));
  c.close(fd);
}

function takeDescriptors(stream: number, kept: number): void {
  // Opened in here: flags and position of an open file are seen by all that hold it (fcntl(2)).
  const nothing = check('opening /dev/null', c.open(cstring('/dev/null'), READ_WRITE_CLOEXEC, 0));
  check('dup2', c.dup2(stream, 0));
  check('dup2', c.dup2(stream, 1));
  check('dup2', c.dup2(nothing, kept));
  // The agent keeps 3 taken; see src/agent/spawn.ts.
  check('dup2', c.dup2(kept, 3));
  if (kept > 4) check('close_range', c.close_range(4, kept - 1, 0));
  check('close_range', c.close_range(Math.max(kept, 3) + 1, LAST_DESCRIPTOR, 0));
}

/** The user of a user namespace of its own, and outside of it nobody whom the host knows. */
function becomeNobody(uid: number | null): void {
  if (uid !== null) {
    check('setgroups', c.setgroups(0, null));
    check('setresgid', c.setresgid(uid, uid, uid));
    check('setresuid', c.setresuid(uid, uid, uid));
  }
  // A process that changed its user may not touch its own files in /proc otherwise.
  check('PR_SET_DUMPABLE', c.prctl(PR.DUMPABLE, 1, 0, 0, 0));
  check('unshare', c.unshare(CLONE.newUsers));
  const outside = uid ?? 0;
  writeFile('/proc/self/setgroups', 'deny');
  writeFile('/proc/self/uid_map', `${INSIDE_UID} ${outside} 1`);
  writeFile('/proc/self/gid_map', `${INSIDE_UID} ${outside} 1`);
}

function dropCapabilities(): void {
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    c.prctl(PR.CAPBSET_DROP, capability, 0, 0, 0);
    // Negative for one that the kernel does not know.
    if (c.prctl(PR.CAPBSET_READ, capability, 0, 0, 0) === 1) throw new Error('a capability can still be had');
  }
  check('PR_SET_NO_NEW_PRIVS', c.prctl(PR.NO_NEW_PRIVS, 1, 0, 0, 0));
  // Effective, permitted and inheritable, in two halves (capget(2)); the ambient ones go with them.
  check('capset', c.capset(new Uint32Array([CAPABILITY_VERSION_3, 0]), new Uint32Array(6)));
}

function applyFilter(filter: Uint8Array): void {
  // struct sock_fprog: u16 length in instructions of eight bytes, and where they are.
  const program = new BigUint64Array([BigInt(filter.byteLength / 8), BigInt(ptr(filter))]);
  check('PR_SET_SECCOMP', c.prctl(PR.SECCOMP, SECCOMP_MODE_FILTER, ptr(program), 0, 0));
}
