import type { SpawnMessage } from '../wire/messages.ts';
import { AT_FDCWD, c, check, cstring, E, O, pipe, ptr, setNonBlocking, socketPair, stat } from './libc.ts';
import { Refusal } from './resolver.ts';

/** One side of what a program is started with; -1 for what it has not. */
export interface Ends {
  stdin: number;
  stdout: number;
  stderr: number;
  control: number;
}

/** A program with the agent's ends. */
export interface Spawned extends Readonly<Ends> {
  readonly pid: number;
}

export class NotFound extends Error {}
export class TooManyProcesses extends Refusal {}

/** The descriptor on which a kernel finds its control socket. */
const CONTROL_FD = 3;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const X_OK = 1;
const E2BIG = 7;
const PRIO_PROCESS = 0;
/**
 * Programs compete with their agent only, inside one control group: a hundred busy ones in a twentieth of a core must
 * still leave it time to end them. What else runs on the machine is not affected.
 */
const LOWEST_PRIORITY = 19;

const attributes = new Uint8Array(512);
const allSignals = new Uint8Array(128).fill(0xff);
const noSignals = new Uint8Array(128);
check('posix_spawnattr_init', c.posix_spawnattr_init(attributes));
c.posix_spawnattr_setflags(attributes, SETSIGDEF | SETSIGMASK | SETSID);
c.posix_spawnattr_setsigdefault(attributes, allSignals);
c.posix_spawnattr_setsigmask(attributes, noSignals);

/** Keeps descriptor 3 taken, so that no pipe of ours lies where the control socket goes. */
const nothing = check('openat', c.openat(AT_FDCWD, cstring('/dev/null'), O.RDWR | O.CLOEXEC, 0));
export const devNull = nothing === CONTROL_FD ? check('fcntl', c.fcntl(nothing, 1030, 10)) : nothing;

/**
 * Starts a program in a session of its own, with default signals and nothing inherited but the descriptors it is
 * given. @throws {NotFound | Refusal | SystemError}
 */
export function spawn(message: SpawnMessage, cwd: number): Spawned {
  const environment = Object.entries(message.env).map(([name, value]) => `${name}=${value}`);
  // It would end where the NUL stands, and be another argument than the one that was given.
  if ([...message.argv, ...environment].some(text => text.includes('\0')))
    throw new Refusal('Arguments and environment cannot hold a NUL');
  const program = lookUp(message.argv[0] ?? '', message.env.PATH ?? '', cwd);
  const { mine, theirs } = openEnds(message);
  const actions = new Uint8Array(256);
  c.posix_spawn_file_actions_init(actions);
  try {
    c.posix_spawn_file_actions_addfchdir_np(actions, cwd);
    c.posix_spawn_file_actions_adddup2(actions, theirs.stdin < 0 ? devNull : theirs.stdin, 0);
    c.posix_spawn_file_actions_adddup2(actions, theirs.stdout, 1);
    c.posix_spawn_file_actions_adddup2(actions, theirs.stderr, 2);
    if (theirs.control >= 0) c.posix_spawn_file_actions_adddup2(actions, theirs.control, CONTROL_FD);
    // Also what the agent itself was handed by mistake.
    const first = theirs.control >= 0 ? CONTROL_FD + 1 : CONTROL_FD;
    c.posix_spawn_file_actions_addclosefrom_np(actions, first);
    const pid = start(program, message.argv, environment, actions);
    return { pid, ...mine };
  } catch (error) {
    closeEnds(mine);
    throw error;
  } finally {
    closeEnds(theirs);
    c.posix_spawn_file_actions_destroy(actions);
  }
}

/** The pipes of a program, one end of each the agent's and the other the program's. @throws {SystemError} */
export function openEnds({ stdin, control }: SpawnMessage): { mine: Ends; theirs: Ends } {
  const mine: Ends = { stdin: -1, stdout: -1, stderr: -1, control: -1 };
  const theirs: Ends = { ...mine };
  try {
    if (stdin === 'pipe') [theirs.stdin, mine.stdin] = pipe();
    [mine.stdout, theirs.stdout] = pipe();
    [mine.stderr, theirs.stderr] = pipe();
    if (control) [mine.control, theirs.control] = socketPair();
    for (const fd of Object.values(mine)) if (fd >= 0) setNonBlocking(fd);
    return { mine, theirs };
  } catch (error) {
    closeEnds(mine);
    closeEnds(theirs);
    throw error;
  }
}

export function closeEnds(ends: Ends): void {
  for (const fd of [ends.stdin, ends.stdout, ends.stderr, ends.control]) if (fd >= 0) c.close(fd);
}

function start(
  program: string,
  argv: readonly string[],
  environment: readonly string[],
  actions: Uint8Array,
): number {
  const args = vector(argv);
  const env = vector(environment);
  const pid = new Int32Array(1);
  const code = c.posix_spawn(pid, cstring(program), actions, attributes, args.pointers, env.pointers);
  if (code === 0) {
    c.setpriority(PRIO_PROCESS, pid[0]!, LOWEST_PRIORITY);
    return pid[0]!;
  }
  if (code === E.ENOENT) throw new NotFound(`Program not found: ${argv[0]}`);
  if (code === E.EACCES || code === E.ENOEXEC || code === E.EPERM) {
    throw new Refusal(`Program cannot be executed: ${argv[0]}`);
  }
  if (code === E.EAGAIN) throw new TooManyProcesses(`Too many processes to start ${argv[0]}`);
  // Their use here also keeps the texts alive until now: to the collector the pointers are mere numbers.
  const bytes = args.text.byteLength + env.text.byteLength;
  if (code === E2BIG) throw new Refusal(`Arguments and environment are too long: ${bytes} bytes`);
  throw new Refusal(`Program cannot be started: ${argv[0]} (errno ${code})`);
}

/** A null-terminated array of C strings, which point into `text`. */
export function vector(strings: readonly string[]): { pointers: BigUint64Array; text: Uint8Array } {
  const parts = strings.map(cstring);
  const text = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0) || 1);
  const base = BigInt(ptr(text));
  const pointers = new BigUint64Array(parts.length + 1);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    text.set(part, at);
    pointers[i] = base + BigInt(at);
    at += part.byteLength;
  }
  return { pointers, text };
}

/** Finds a program as a shell would that starts in `cwd`. */
function lookUp(name: string, path: string, cwd: number): string {
  if (name.includes('/')) return name;
  let found: string | undefined;
  for (const directory of path.split(':')) {
    const candidate = `${directory || '.'}/${name}`;
    const bytes = cstring(candidate);
    if (name === '' || c.faccessat(cwd, bytes, 0, 0) < 0 || stat(cwd, bytes).type === 'directory') continue;
    if (c.faccessat(cwd, bytes, X_OK, 0) === 0) return candidate;
    found ??= candidate;
  }
  if (found) throw new Refusal(`Program cannot be executed: ${name}`);
  // What was meant for a shell.
  const hint = /\s/.test(name) ? ' (one name; a shell takes a line: sh -c)' : '';
  throw new NotFound(`Program not found: ${name}${hint}`);
}
