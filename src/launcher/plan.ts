import { agentArguments } from '../agent/artifact.ts';
import { USER_HOME } from '../sandbox.ts';
import { BASE, DISK, INSIDE_UID } from './layout.ts';
import { RESOURCE_LIMITS } from './resource-limits.ts';
import type { StartRequest } from './start-request.ts';
import { devicesOf, type View } from './view.ts';

/** What decides about a sandbox's arguments. */
type Seen = Pick<View, 'ownDevices' | 'masks'>;

/**
 * Settings of a sandbox's network namespace for what is charged to nobody (kernel documentation, networking/ip-sysctl): as
 * many connections wait to be accepted at one socket, each of them keeps the second size of the receive buffer, in bytes,
 * and one that is over some 250 bytes for a minute. The last size is as fast as any (measured: 1.9 GB/s on the loopback).
 */
export const NETWORK_SETTINGS = {
  'net.core.somaxconn': '128',
  'net.ipv4.tcp_rmem': '4096 16384 262144',
  'net.ipv4.tcp_max_tw_buckets': '16384',
} as const;
/** The same by their places below /proc/sys. */
export const NETWORK_FILES = Object.entries(NETWORK_SETTINGS).map(
  ([name, value]) => [name.replaceAll('.', '/'), value] as const,
);
/** The descriptor on which bubblewrap finds the seccomp filter. */
const SECCOMP_FD = 9;
/** Bubblewrap begins in a network of the sandbox's own, whose settings it leaves nobody the right to set. */
const NAMESPACES = ['user', 'ipc', 'pid', 'uts', 'cgroup-try'];
/** The agent, as every sandbox finds it. */
export const AGENT = '/usr/local/lib/codebeaker/agent';

/** Where a sandbox of bubblewrap's has its view while it starts. */
export const rootOn = (disk: string) => `${disk}/root`;

/**
 * The arguments of bubblewrap (bwrap(1)), for a sandbox whose disk is mounted at `disk`, with its view. Pure.
 */
export function bubblewrapArguments(
  disk: string,
  seen: Seen,
  { home = false }: Partial<Pick<StartRequest, 'home'>> = {},
): string[] {
  const root = rootOn(disk);
  return [
    ...NAMESPACES.map(name => `--unshare-${name}`),
    ...['--uid', String(INSIDE_UID), '--gid', String(INSIDE_UID), '--hostname', 'sandbox'],
    // Without a terminal of the server's, and gone with the launcher.
    ...['--new-session', '--die-with-parent', '--as-pid-1', '--clearenv', '--cap-drop', 'ALL'],
    // Each of these costs bubblewrap a look through all mounts: what can be is laid out beforehand.
    ...['--ro-bind', root, '/', '--proc', '/proc', '--dev-bind', devicesOf(root, seen), '/dev'],
    ...seen.masks.flatMap(({ path, by }) => ['--ro-bind', `${root}${by}`, path]),
    ...['--dev-bind', `${disk}/pts`, '/dev/pts'],
    ...Object.entries(DISK).flatMap(([name, target]) => ['--bind', `${disk}/${name}`, target]),
    ...(home ? ['--bind', `${disk}/workspace`, USER_HOME] : []),
    // Those of its own are read-only already, and this would make all that are not mounts unusable.
    ...(seen.ownDevices ? [] : ['--remount-ro', '/dev']),
    ...['--chdir', '/workspace', '--seccomp', String(SECCOMP_FD)],
    ...['--', AGENT, ...agentArguments()],
  ];
}

/**
 * The shell line that becomes the sandbox. It limits itself and enters its control groups before bubblewrap begins,
 * so that no instruction inside runs without them, and so that a kernel that is slow to move a process holds up the
 * child and not the launcher.
 */
const BECOME = `
umask 022
prlimit --pid $$ --core=${RESOURCE_LIMITS.core}
ulimit -n "$1"
filter=$2
shift 2
while [ "$1" != -- ]; do
  echo 0 > "$1" || exit 1
  shift
done
shift
exec ${SECCOMP_FD}< "$filter"
exec "$@"
`;

/** The whole command that starts a sandbox. Pure. */
export function sandboxCommand(
  order: Pick<StartRequest, 'procs' | 'uid' | 'openFiles' | 'home' | 'network'> & { readonly disk: string },
  bubblewrap: string,
  seen: Seen,
): string[] {
  const { openFiles, disk, procs, uid, network } = order;
  // Bubblewrap starts with no right that the launcher has by inheritance.
  const user = uid === null ? [] : ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  return [
    ...['/bin/sh', '-c', BECOME, 'sandbox', String(openFiles), BASE.filter, ...procs, '--'],
    // While it still has the right to.
    ...[BASE.agent, 'network', ...NETWORK_FILES.map(setting => setting.join('='))],
    ...(network ? ['open', ...network] : []),
    '--',
    ...['setpriv', ...user, '--inh-caps=-all'],
    ...[bubblewrap, ...bubblewrapArguments(disk, seen, order)],
  ];
}
