import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { bundled } from '../../bundle/bundled.ts';
import { type GroupDirectories, type GroupParents, groupIn } from '../../cgroup/cgroup.ts';
import { cgroupsAt } from '../../cgroup/find.ts';
import { LAUNCHER_UID } from '../../launcher/layout.ts';
import {
  type Forked,
  type LauncherRequest,
  type LauncherSetup,
  type NewLimits,
  type PreforkRequest,
  type StartLimits,
  type StartOptions,
  unforkable,
} from '../../launcher/protocol.ts';
import { Sandboxes } from '../../launcher/sandboxes.ts';
import { Zygote } from '../../launcher/zygote.ts';
import { FORKED_TASKS, ZygoteMaker } from '../../launcher/zygote-maker.ts';
import { guarded } from '../../wire/guarded.ts';
import { LineReader } from '../../wire/line-reader.ts';
import type { Interpreters } from '../interpreters.ts';
import { AgentSocket } from './agent-socket.ts';
import { readReply } from './launcher-reply.ts';
import { LauncherSandboxes, type SandboxControl } from './launcher-sandboxes.ts';

/** The launcher can't work on this machine. */
export class LauncherUnable extends Error {
  readonly remedy: string | null;
  /** See RuntimeState. */
  readonly coming: string | undefined;
  constructor(reason: string, remedy: string | null, coming?: string) {
    super(reason);
    this.remedy = remedy;
    this.coming = coming;
  }
}

export interface LauncherOptions {
  /** Unique name of this server, for its control groups, containers and volumes. */
  readonly instance: string;
  /** See {@link LauncherSetup.fork}. */
  readonly fork: boolean;
  /** See {@link LauncherSetup.library}. */
  readonly library: string;
  /** See {@link LauncherSetup.packages}. */
  readonly packages: string | null;
}

/** One sandbox as the launcher holds it. */
export interface Launched {
  readonly id: string;
  readonly groups: GroupDirectories;
  /** Processes and threads of an agent, which its limit of processes allows for; null where that is known once it has answered. */
  readonly agentTasks: number | null;
  /** To the agent inside. */
  readonly stream: Socket;
  /** Resolves with the sandbox's last words when it has ended, or why the launcher has. */
  readonly ended: Promise<string>;
}

const MAIN = fileURLToPath(new URL('../../launcher/main.ts', import.meta.url));
/**
 * Keeps the launcher to one thread: Bun aborts when it cannot have one that it wants, as on a machine that is out of
 * processes. Threads for garbage collection, compilation, and the allocator's spare blocks and purges are all off.
 */
const ONE_THREAD = {
  MIMALLOC_PURGE_DELAY: '0',
  BUN_JSC_useWarmUpMarkedBlocks: '0',
  BUN_JSC_numberOfGCMarkers: '1',
  BUN_JSC_useConcurrentGC: '0',
  BUN_JSC_useConcurrentJIT: '0',
  // It would wake every few seconds to look whether there is something to collect; what allocates collects.
  BUN_GC_TIMER_DISABLE: 'true',
};
/** What a sandbox may take to connect. */
const CONNECT_MS = 15_000;
const START_MS = 30_000;
/** Time limit for a zygote to start and to make a sandbox, milliseconds. */
const PROBE_MS = 10_000;
/** Its longest replies carry a sandbox's last words. */
const MAX_REPLY_BYTES = 1024 * 1024;
/** Of what the launcher says on standard error, for the reason of its end. */
const KEPT_STDERR = 500;

/** Options of unshare(1): a mount namespace, and for an ordinary user the right to mount in it. */
function launcherNamespaces(root: boolean): string[] {
  const user = ['--user', `--map-user=${LAUNCHER_UID}`, `--map-group=${LAUNCHER_UID}`, '--keep-caps'];
  return [...(root ? [] : user), '--mount', '--propagation', 'private'];
}

interface Entry {
  readonly ended: PromiseWithResolvers<string>;
  /** An interpreter is being forked into it. */
  forking: boolean;
}

/** How the launcher, or the zygote in its place, is told what to do, once it is ready. */
interface Terms {
  readonly groups: GroupParents;
  readonly sandboxes: SandboxControl;
  /** Takes what it says on standard output. @throws on what it never says */
  push(bytes: Buffer): void;
  /** It is no more. */
  end(): void;
  /** Makes a sandbox that nobody asked for; null where that need not be tried. @throws {Error} with why none can be made */
  readonly probe: (() => Promise<void>) | null;
}

/**
 * The server's hold on its launcher process, and on the zygote that takes its place where sandboxes are forked. Sandboxes connect to
 * an abstract socket of the server's by themselves; no byte of theirs passes through either.
 */
export class LauncherClient {
  readonly #child: ChildProcess;
  readonly #setup: LauncherSetup;
  readonly #agents: AgentSocket;
  readonly #entries = new Map<string, Entry>();
  readonly #ready = Promise.withResolvers<Terms>();
  readonly #exited = Promise.withResolvers<void>();
  #dead = false;
  #terms: Terms | undefined;
  #unread = Buffer.alloc(0);
  #stderr = '';

  private constructor(interpreters: Interpreters, options: LauncherOptions, socket: string) {
    this.#agents = new AgentSocket(socket);
    const root = process.getuid?.() === 0;
    this.#child = spawn('unshare', [...launcherNamespaces(root), interpreters.bun, bundled(MAIN)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Nothing of the directory that the server was started in has a say.
      cwd: '/',
      env: { PATH: process.env.PATH, BUN_RUNTIME_TRANSPILER_CACHE_PATH: '0', ...ONE_THREAD },
      // A signal for the server's whole process group (Ctrl-C) must not reach it: it ends after the server.
      detached: true,
    });
    const broken = ({ message }: Error) => this.#break(message);
    this.#child.once('error', error => this.#end(error.message));
    const onClose = () => this.#end(`the launcher has ended${this.#stderr && `: ${this.#stderr.trim()}`}`);
    this.#child.once('close', guarded(onClose, broken));
    this.#child.stdin?.on('error', () => {});
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('error', broken);
    const onStderr = (text: string) => {
      process.stderr.write(text);
      this.#stderr = (this.#stderr + text).slice(-KEPT_STDERR);
    };
    this.#child.stderr?.setEncoding('utf8').on('data', guarded(onStderr, broken));
    const onStdout = (bytes: Buffer) => this.#onBytes(bytes);
    this.#child.stdout?.on('data', guarded(onStdout, broken));
    this.#setup = {
      instance: options.instance,
      root,
      socket,
      fork: options.fork,
      programs: interpreters.programs,
      trees: interpreters.trees,
      library: options.library,
      packages: options.packages,
    };
    this.#child.stdin?.write(`${JSON.stringify(this.#setup)}\n`);
  }

  /** @throws {LauncherUnable} */
  static async start(interpreters: Interpreters, options: LauncherOptions): Promise<LauncherClient> {
    const socket = `codebeaker-${options.instance}-${randomBytes(8).toString('hex')}`;
    const client = new LauncherClient(interpreters, options, socket);
    const timer = setTimeout(
      () => client.#ready.reject(new LauncherUnable('the launcher did not start', null)),
      START_MS,
    );
    try {
      const { probe } = await client.#ready.promise;
      if (!(await forksNone(probe))) return client;
    } catch (error) {
      client.#child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
    // What is left of it the next one sweeps.
    client.#child.kill('SIGKILL');
    await client.exited;
    return LauncherClient.start(interpreters, { ...options, fork: false });
  }

  /** Sandboxes are forked, and interpreters can be. */
  get forks(): boolean {
    return this.#terms?.probe != null;
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** Resolves when it has ended. */
  get exited(): Promise<void> {
    return this.#exited.promise;
  }

  /** Starts a sandbox and waits for its stream. @throws {Error} with what went wrong; nothing is left then */
  async launch(id: string, limits: StartLimits, options: StartOptions): Promise<Launched> {
    if (this.#dead || !this.#terms) throw new Error('the launcher has ended');
    const { groups, sandboxes } = this.#terms;
    // Of many random bytes that were taken at once.
    const key = randomUUID() + randomUUID();
    const entry: Entry = { ended: Promise.withResolvers(), forking: false };
    this.#entries.set(id, entry);
    const connected = this.#agents.expect(id, key);
    sandboxes.start({ id, key, limits, ...options });
    const timer = setTimeout(() => this.#agents.fail(id, 'the sandbox did not start in time'), CONNECT_MS);
    try {
      const stream = await connected;
      const agentTasks = this.forks ? FORKED_TASKS : null;
      return { id, groups: groupIn(groups, id), agentTasks, stream, ended: entry.ended.promise };
    } catch (error) {
      await this.stop(id);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The agent of a sandbox has answered. */
  settled(id: string): void {
    this.#sandboxes?.settled(id);
  }

  /** False when it uses more already. */
  async limitMemory(id: string, bytes: number): Promise<boolean> {
    return this.#sandboxes?.limitMemory(id, bytes) ?? false;
  }

  /** Of one that has not been used yet. False when it can't be done. */
  async resize(id: string, { memoryBytes, diskBytes, cpus }: NewLimits): Promise<boolean> {
    return this.#sandboxes?.resize(id, { memoryBytes, diskBytes, cpus }) ?? false;
  }

  /** Makes a program in a sandbox a fork of an interpreter that waits. Null where there is none, or while another is made. */
  async fork(id: string, request: PreforkRequest): Promise<Forked | null> {
    const entry = this.#entries.get(id);
    if (!entry || entry.forking || !this.#sandboxes) return null;
    entry.forking = true;
    try {
      return await this.#sandboxes.fork(id, request);
    } finally {
      entry.forking = false;
    }
  }

  /** Moves a program that waits to begin into a leaf of its own. Resolves to the leaf; null where that can't be done. */
  async place(id: string, pid: number): Promise<string | null> {
    return this.#sandboxes?.place(id, pid) ?? null;
  }

  /** Takes a leaf back. */
  give(id: string, leaf: string): void {
    if (this.#entries.has(id)) this.#sandboxes?.give(id, leaf);
  }

  /** Kills a sandbox; resolves when nothing of it remains. */
  async stop(id: string): Promise<void> {
    if (!this.#entries.has(id)) return;
    await this.#sandboxes?.stop(id);
    this.#entries.delete(id);
    this.#agents.forget(id);
  }

  /** Ends the launcher, and with it whatever still runs. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited.promise;
  }

  get #sandboxes(): SandboxControl | undefined {
    return this.#dead ? undefined : this.#terms?.sandboxes;
  }

  #onBytes(bytes: Buffer): void {
    if (this.#dead) return;
    if (this.#terms) return this.#terms.push(bytes);
    this.#unread = Buffer.concat([this.#unread, bytes]);
    const end = this.#unread.indexOf(10);
    if (end < 0) return checkLength(this.#unread);
    const reply = readReply(this.#unread.toString('utf8', 0, end));
    const rest = this.#unread.subarray(end + 1);
    this.#unread = Buffer.alloc(0);
    if (reply.event === 'unable') return this.#ready.reject(new LauncherUnable(reply.reason, reply.remedy));
    if (reply.event !== 'ready') throw new Error(`it is not ready and says ${reply.event}`);
    if (reply.forks && !this.#setup.fork) throw new Error('it forks and was not asked to');
    this.#terms = reply.forks ? this.#forked(reply.groups) : this.#wrapped(reply.groups);
    this.#ready.resolve(this.#terms);
    this.#terms.push(rest);
  }

  /** The zygote has taken the launcher's place. */
  #forked(groups: GroupParents): Terms {
    const zygote = new Zygote(this.#child.stdin!);
    const cgroups = cgroupsAt(groups);
    const maker = new ZygoteMaker(zygote, cgroups);
    const sandboxes = new Sandboxes(this.#setup, { cgroups, maker, listener: this.#listener });
    return {
      groups,
      sandboxes,
      push: bytes => zygote.push(bytes),
      end: () => zygote.end(),
      probe: () => zygote.ready.then(() => sandboxes.probe()),
    };
  }

  /** The launcher stays. */
  #wrapped(groups: GroupParents): Terms {
    const send = (request: LauncherRequest) => this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    const sandboxes = new LauncherSandboxes(send, this.#listener);
    const lines = new LineReader(MAX_REPLY_BYTES);
    const push = (bytes: Buffer) => {
      for (const line of lines.push(bytes)) sandboxes.onReply(readReply(line));
    };
    return { groups, sandboxes, push, end: () => sandboxes.end(), probe: null };
  }

  readonly #listener = {
    refused: (id: string, problem: string) => this.#agents.fail(id, problem),
    ended: (id: string, stderr: string) => {
      this.#entries.get(id)?.ended.resolve(stderr);
      this.#agents.fail(id, stderr || 'the sandbox ended before it began');
    },
  };

  /** It says what no launcher says: it ends, with its sandboxes, and another takes its place. */
  #break(problem: string): void {
    if (this.#dead) return;
    const reason = `the launcher broke its protocol: ${problem}`;
    console.error(reason);
    this.#child.kill('SIGKILL');
    this.#end(reason);
  }

  #end(reason: string): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#ready.reject(new LauncherUnable(reason, null));
    for (const [id, entry] of this.#entries) {
      this.#agents.fail(id, reason);
      entry.ended.resolve(reason);
    }
    this.#terms?.end();
    this.#agents.close();
    this.#exited.resolve();
  }
}

/** Whether sandboxes were to be forked and none can be, which is told. */
async function forksNone(probe: Terms['probe']): Promise<boolean> {
  if (!probe) return false;
  const slow = pause(PROBE_MS, null, { ref: false }).then(() => {
    throw new Error('it took too long');
  });
  try {
    await Promise.race([probe(), slow]);
    return false;
  } catch (error) {
    process.stderr.write(unforkable(error));
    return true;
  }
}

function checkLength(line: Buffer): void {
  if (line.byteLength > MAX_REPLY_BYTES) throw new Error(`a line is over ${MAX_REPLY_BYTES} bytes`);
}
