import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { type GroupDirectories, groupIn } from '../../cgroup/cgroup.ts';
import { LAUNCHER_UID } from '../../launcher/layout.ts';
import type {
  Forked,
  LauncherReply,
  LauncherRequest,
  LauncherSetup,
  NewLimits,
  PreforkRequest,
  StartLimits,
  StartOptions,
} from '../../launcher/protocol.ts';
import { isSameSecret } from '../../same-secret.ts';
import { SandboxLost } from '../../sandbox.ts';
import { guarded } from '../../wire/guarded.ts';
import type { Interpreters } from '../interpreters.ts';
import { readReply } from './launcher-reply.ts';

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
  /** See {@link LauncherReply}. */
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
const MAX_GREETING_BYTES = 512;
/** Its longest replies carry a sandbox's last words. */
const MAX_REPLY_LENGTH = 1024 * 1024;
/** Of what the launcher says on standard error, for the reason of its end. */
const KEPT_STDERR = 500;

/** Options of unshare(1): a mount namespace, and for an ordinary user the right to mount in it. */
function launcherNamespaces(root: boolean): string[] {
  const user = ['--user', `--map-user=${LAUNCHER_UID}`, `--map-group=${LAUNCHER_UID}`, '--keep-caps'];
  return [...(root ? [] : user), '--mount', '--propagation', 'private'];
}

interface Entry {
  /** What its connection must say. */
  readonly key: string;
  readonly connected: PromiseWithResolvers<Socket>;
  readonly ended: PromiseWithResolvers<string>;
  readonly stopped: PromiseWithResolvers<void>;
  /** Answered in the order asked. */
  readonly limited: PromiseWithResolvers<boolean>[];
  /** Likewise. */
  readonly placed: PromiseWithResolvers<string | null>[];
  forked: PromiseWithResolvers<Forked | null> | null;
}

/**
 * The server's hold on its launcher process. Sandboxes connect to an abstract socket of the server's by themselves;
 * no byte of theirs passes through the launcher.
 */
export class LauncherClient {
  readonly #child: ChildProcess;
  readonly #server: Server;
  readonly #entries = new Map<string, Entry>();
  readonly #ready = Promise.withResolvers<void>();
  readonly #exited = Promise.withResolvers<void>();
  #dead = false;
  #terms: Extract<LauncherReply, { event: 'ready' }> | undefined;
  #unread = '';
  #stderr = '';

  private constructor(interpreters: Interpreters, options: LauncherOptions, socket: string) {
    this.#server = createServer(stream => this.#greet(stream)).listen(`\0${socket}`);
    // A connection that can't be accepted is a sandbox that does not start in time.
    this.#server.on('error', error => console.error(`The launcher's socket: ${error.message}`));
    this.#server.unref();
    const root = process.getuid?.() === 0;
    this.#child = spawn('unshare', [...launcherNamespaces(root), interpreters.bun, MAIN], {
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
    const onStdout = (text: string) => this.#onText(text);
    this.#child.stdout?.setEncoding('utf8').on('data', guarded(onStdout, broken));
    const setup: LauncherSetup = {
      instance: options.instance,
      root,
      socket,
      fork: options.fork,
      programs: interpreters.programs,
      trees: interpreters.trees,
      library: options.library,
      packages: options.packages,
    };
    this.#child.stdin?.write(`${JSON.stringify(setup)}\n`);
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
      await client.#ready.promise;
      return client;
    } catch (error) {
      client.#child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sandboxes are forked, and interpreters can be. */
  get forks(): boolean {
    return this.#terms?.forks ?? false;
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
    const { groups, agentTasks } = this.#terms;
    // Of many random bytes that were taken at once.
    const key = randomUUID() + randomUUID();
    const entry: Entry = {
      key,
      connected: Promise.withResolvers(),
      ended: Promise.withResolvers(),
      stopped: Promise.withResolvers(),
      limited: [],
      placed: [],
      forked: null,
    };
    entry.connected.promise.catch(() => {});
    this.#entries.set(id, entry);
    this.#send({ op: 'start', id, key, limits, ...options });
    const timer = setTimeout(() => fail(entry, 'the sandbox did not start in time'), CONNECT_MS);
    try {
      const stream = await entry.connected.promise;
      return { id, groups: groupIn(groups, id), agentTasks, stream, ended: entry.ended.promise };
    } catch (error) {
      await this.stop(id);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The agent of a sandbox has answered; of a forked one nothing waits for that. */
  settled(id: string): void {
    if (this.forks) return;
    this.#send({ op: 'settled', id });
  }

  /** False when it uses more already. */
  limitMemory(id: string, bytes: number): Promise<boolean> {
    return this.#limit({ op: 'limitMemory', id, bytes });
  }

  /** Of one that has not been used yet. False when it can't be done. */
  resize(id: string, { memoryBytes, diskBytes, cpus }: NewLimits): Promise<boolean> {
    return this.#limit({ op: 'resize', id, memoryBytes, diskBytes, cpus });
  }

  async #limit(request: Extract<LauncherRequest, { op: 'limitMemory' | 'resize' }>): Promise<boolean> {
    const entry = this.#entries.get(request.id);
    if (!entry || this.#dead) return false;
    const limited = Promise.withResolvers<boolean>();
    entry.limited.push(limited);
    this.#send(request);
    return limited.promise;
  }

  /** Makes a program in a sandbox a fork of an interpreter that waits. Null where there is none, or while another is made. */
  async fork(id: string, request: PreforkRequest): Promise<Forked | null> {
    const entry = this.#entries.get(id);
    if (!entry || entry.forked || this.#dead) return null;
    entry.forked = Promise.withResolvers<Forked | null>();
    this.#send({ op: 'fork', id, ...request });
    try {
      return await entry.forked.promise;
    } finally {
      entry.forked = null;
    }
  }

  /** Moves a program that waits to begin into a leaf of its own. Resolves to the leaf; null where that can't be done. */
  async place(id: string, pid: number): Promise<string | null> {
    const entry = this.#entries.get(id);
    if (!entry || this.#dead) return null;
    const placed = Promise.withResolvers<string | null>();
    entry.placed.push(placed);
    this.#send({ op: 'place', id, pid });
    return placed.promise;
  }

  /** Takes a leaf back. */
  give(id: string, leaf: string): void {
    if (this.#entries.has(id)) this.#send({ op: 'give', id, leaf });
  }

  /** Kills a sandbox; resolves when nothing of it remains. */
  async stop(id: string): Promise<void> {
    const entry = this.#entries.get(id);
    if (!entry) return;
    if (!this.#dead) {
      this.#send({ op: 'stop', id });
      await entry.stopped.promise;
    }
    this.#entries.delete(id);
  }

  /** Ends the launcher, and with it whatever still runs. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    await this.#exited.promise;
    this.#server.close();
  }

  #send(request: LauncherRequest): void {
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
  }

  #onText(text: string): void {
    if (this.#dead) return;
    const lines = (this.#unread + text).split('\n');
    this.#unread = lines.pop() ?? '';
    if (this.#unread.length > MAX_REPLY_LENGTH)
      throw new Error(`a line is over ${MAX_REPLY_LENGTH} characters`);
    for (const line of lines) this.#onReply(readReply(line));
  }

  /** It says what no launcher says: it ends, with its sandboxes, and another takes its place. */
  #break(problem: string): void {
    if (this.#dead) return;
    const reason = `the launcher broke its protocol: ${problem}`;
    console.error(reason);
    this.#child.kill('SIGKILL');
    this.#end(reason);
  }

  #onReply(reply: LauncherReply): void {
    if (reply.event === 'ready') {
      this.#terms = reply;
      return this.#ready.resolve();
    }
    if (reply.event === 'unable') return this.#ready.reject(new LauncherUnable(reply.reason, reply.remedy));
    const entry = this.#entries.get(reply.id);
    switch (reply.event) {
      case 'refused':
        return entry && fail(entry, reply.problem);
      case 'ended':
        entry?.ended.resolve(reply.stderr);
        return entry && fail(entry, reply.stderr || 'the sandbox ended before it began');
      case 'limited':
        return entry?.limited.shift()?.resolve(reply.done);
      case 'forked':
        return entry?.forked?.resolve(reply.forked);
      case 'placed':
        return entry?.placed.shift()?.resolve(reply.leaf);
      case 'stopped':
        return entry?.stopped.resolve();
    }
  }

  /** Reads who connects: a sandbox's key and its id, on one line; the agent speaks after that. */
  #greet(stream: Socket): void {
    let greeting = Buffer.alloc(0);
    const refuse = () => stream.destroy();
    const deadline = setTimeout(refuse, CONNECT_MS);
    stream.on('error', () => {});
    stream.once('close', () => clearTimeout(deadline));
    const read = guarded((bytes: Buffer) => {
      greeting = Buffer.concat([greeting, bytes]);
      const end = greeting.indexOf(10);
      if (end < 0 && greeting.length <= MAX_GREETING_BYTES) return;
      stream.off('data', read);
      stream.pause();
      clearTimeout(deadline);
      const [key = '', id = ''] = greeting.toString('latin1', 0, Math.max(end, 0)).split(' ');
      const entry = this.#entries.get(id);
      if (end < 0 || !entry || !isSameSecret(key, entry.key)) return refuse();
      if (end + 1 < greeting.length) stream.unshift(greeting.subarray(end + 1));
      entry.connected.resolve(stream);
    }, refuse);
    stream.on('data', read);
  }

  #end(reason: string): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#ready.reject(new LauncherUnable(reason, null));
    for (const entry of this.#entries.values()) {
      fail(entry, reason);
      entry.ended.resolve(reason);
      for (const limited of entry.limited) limited.resolve(false);
      for (const placed of entry.placed) placed.resolve(null);
      entry.forked?.resolve(null);
      entry.stopped.resolve();
    }
    this.#server.close();
    this.#exited.resolve();
  }
}

/** It will not start. */
function fail(entry: Entry, reason: string): void {
  entry.connected.reject(new SandboxLost(reason));
}
