import type { SpawnMessage } from '../wire/messages.ts';
import { AT_FDCWD, c, check, cstring, E, O, pipe, ptr, setNonBlocking, socketPair, stat } from './libc.ts';
import { Refusal } from './resolver.ts';

/** The agent's ends of what a program was started with; -1 for what it has not. */
export interface Spawned {
  readonly pid: number;
  readonly stdin: number;
  readonly stdout: number;
  readonly stderr: number;
  readonly control: number;
}

export class NotFound extends Error {}
export class TooManyProcesses extends Refusal {}

/** The descriptor on which a kernel finds its control socket. */
const CONTROL_FD = 3;
const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
const X_OK = 1;
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
const devNull = nothing === CONTROL_FD ? check('fcntl', c.fcntl(nothing, 1030, 10)) : nothing;

/**
 * Starts a program in a session of its own, with default signals and nothing inherited but the descriptors it is
 * given. @throws {NotFound | Refusal | SystemError}
 */
export function spawn(message: SpawnMessage, cwd: number): Spawned {
  const program = lookUp(message.argv[0] ?? '', message.env.PATH ?? '');
  const mine: number[] = [];
  const theirs: number[] = [];
  const actions = new Uint8Array(256);
  c.posix_spawn_file_actions_init(actions);
  try {
    const [stdinRead, stdin] = message.stdin === 'pipe' ? pipe() : [-1, -1];
    const [stdout, stdoutWrite] = pipe();
    const [stderr, stderrWrite] = pipe();
    const [control, controlTheirs] = message.control ? socketPair() : [-1, -1];
    mine.push(stdin, stdout, stderr, control);
    theirs.push(stdinRead, stdoutWrite, stderrWrite, controlTheirs);
    for (const fd of mine) if (fd >= 0) setNonBlocking(fd);
    c.posix_spawn_file_actions_addfchdir_np(actions, cwd);
    c.posix_spawn_file_actions_adddup2(actions, stdinRead < 0 ? devNull : stdinRead, 0);
    c.posix_spawn_file_actions_adddup2(actions, stdoutWrite, 1);
    c.posix_spawn_file_actions_adddup2(actions, stderrWrite, 2);
    if (controlTheirs >= 0) c.posix_spawn_file_actions_adddup2(actions, controlTheirs, CONTROL_FD);
    const pid = start(program, message, actions);
    return { pid, stdin, stdout, stderr, control };
  } catch (error) {
    for (const fd of mine) if (fd >= 0) c.close(fd);
    throw error;
  } finally {
    for (const fd of theirs) if (fd >= 0) c.close(fd);
    c.posix_spawn_file_actions_destroy(actions);
  }
}

function start(program: string, { argv, env }: SpawnMessage, actions: Uint8Array): number {
  const args = vector(argv);
  const environment = vector(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  const pid = new Int32Array(1);
  const code = c.posix_spawn(pid, cstring(program), actions, attributes, args.pointers, environment.pointers);
  if (code === 0) {
    c.setpriority(PRIO_PROCESS, pid[0]!, LOWEST_PRIORITY);
    return pid[0]!;
  }
  if (code === E.ENOENT) throw new NotFound(`Program not found: ${argv[0]}`);
  if (code === E.EACCES || code === E.ENOEXEC || code === E.EPERM) {
    throw new Refusal(`Program cannot be executed: ${argv[0]}`);
  }
  if (code === E.EAGAIN) throw new TooManyProcesses(`Too many processes to start ${argv[0]}`);
  if (code === 7) throw new Refusal('Arguments and environment are too long');
  throw new Refusal(`Program cannot be started: ${argv[0]} (errno ${code})`);
}

/** A null-terminated array of C strings; `text` keeps them alive. */
function vector(strings: readonly string[]): { pointers: BigUint64Array; text: Uint8Array } {
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

/** Finds a program as a shell would. */
function lookUp(name: string, path: string): string {
  if (name.includes('/')) return name;
  let found: string | undefined;
  for (const directory of path.split(':')) {
    const candidate = `${directory || '.'}/${name}`;
    const bytes = cstring(candidate);
    if (name === '' || c.faccessat(AT_FDCWD, bytes, 0, 0) < 0 || stat(AT_FDCWD, bytes).type === 'directory')
      continue;
    if (c.faccessat(AT_FDCWD, bytes, X_OK, 0) === 0) return candidate;
    found ??= candidate;
  }
  if (found) throw new Refusal(`Program cannot be executed: ${name}`);
  throw new NotFound(`Program not found: ${name}`);
}
