import type { StartLimits } from './protocol.ts';

/** Where things lie on the host's side, in the launcher's own mount namespace. */
export interface Layout {
  /** A directory with the sandbox's workspace, tmp and home. */
  readonly disk: string;
  /** The synthetic /etc. */
  readonly etc: string;
  /** The agent and the kernels. */
  readonly library: string;
  /** Programs for /usr/local/bin: name and source. */
  readonly programs: readonly { readonly name: string; readonly source: string }[];
  /** More directories, read-only: where, and their source. */
  readonly directories: readonly { readonly target: string; readonly source: string }[];
  /** Which of the host's root directories are links into /usr, e.g. `bin`; see hier(7) and usr-merge. */
  readonly rootLinks: readonly { readonly name: string; readonly target: string }[];
}

/** The user inside every sandbox: nobody. */
export const INSIDE_UID = 65534;
/** The descriptor on which bubblewrap finds the seccomp filter. */
export const SECCOMP_FD = 9;
const LIBRARY = '/usr/local/lib/codebeaker';
const BIN = '/usr/local/bin';

/** The arguments of bubblewrap (bwrap(1)). Pure. */
export function bubblewrapArguments(layout: Layout): string[] {
  return [
    ...[
      '--unshare-user',
      '--unshare-ipc',
      '--unshare-pid',
      '--unshare-net',
      '--unshare-uts',
      '--unshare-cgroup-try',
    ],
    ...['--uid', String(INSIDE_UID), '--gid', String(INSIDE_UID), '--hostname', 'sandbox'],
    // Without a terminal of the server's, and gone with the launcher.
    ...['--new-session', '--die-with-parent', '--as-pid-1', '--clearenv', '--cap-drop', 'ALL'],
    ...['--ro-bind', '/usr', '/usr'],
    ...layout.rootLinks.flatMap(({ name, target }) => ['--symlink', target, `/${name}`]),
    // The host's own /usr/local is nobody's business.
    ...['--tmpfs', '/usr/local'],
    ...['--ro-bind', layout.library, LIBRARY],
    ...layout.programs.flatMap(({ name, source }) => ['--ro-bind', source, `${BIN}/${name}`]),
    ...layout.directories.flatMap(({ target, source }) => ['--ro-bind', source, target]),
    ...['--remount-ro', '/usr/local'],
    ...['--ro-bind', layout.etc, '/etc'],
    // Nobody inside changes what the kernel kills first. What is written below /dev/shm is memory of the group.
    ...[
      '--proc',
      '/proc',
      '--remount-ro',
      '/proc',
      '--dev',
      '/dev',
      '--remount-ro',
      '/dev',
      '--tmpfs',
      '/dev/shm',
    ],
    ...['--bind', `${layout.disk}/workspace`, '/workspace'],
    ...['--bind', `${layout.disk}/tmp`, '/tmp', '--bind', `${layout.disk}/home`, '/home/sandbox'],
    ...['--remount-ro', '/', '--chdir', '/workspace'],
    ...['--seccomp', String(SECCOMP_FD)],
    ...['--', `${BIN}/bun`, `${LIBRARY}/agent.js`],
  ];
}

/**
 * The shell line that becomes the sandbox. It makes itself the first to die of memory, limits itself and enters its control groups before bubblewrap begins,
 * so that no instruction inside runs without them, and so that a kernel that is slow to move a process holds up the
 * child and not the launcher.
 */
const BECOME = `
ulimit -c 0
echo 1000 > /proc/self/oom_score_adj
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

export interface Command {
  readonly procs: readonly string[];
  readonly filter: string;
  /** The user to become first; null stays as it is. */
  readonly uid: number | null;
  readonly bubblewrap: string;
}

/** The whole command that starts a sandbox. Pure. */
export function sandboxCommand(layout: Layout, limits: StartLimits, command: Command): string[] {
  const { procs, filter, uid, bubblewrap } = command;
  const user =
    uid === null ? [] : ['setpriv', '--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
  return [
    ...['/bin/sh', '-c', BECOME, 'sandbox', String(limits.openFiles), filter, ...procs, '--'],
    ...user,
    ...[bubblewrap, ...bubblewrapArguments(layout)],
  ];
}
