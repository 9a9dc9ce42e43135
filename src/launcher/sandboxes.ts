import { dirname } from 'node:path';
import type { Cgroups } from '../cgroup/cgroup.ts';
import { Leaves, leafOf, MAIN } from '../cgroup/leaves.ts';
import type {
  Forked,
  LauncherSetup,
  NewLimits,
  PreforkRequest,
  StartLimits,
  StartOptions,
} from './protocol.ts';
import type { Started, StartRequest } from './start-request.ts';
import type { Templates } from './templates.ts';
import { Users } from './users.ts';

const MB = 1024 * 1024;
const PROBE_LIMITS = {
  memoryBytes: 64 * MB,
  diskBytes: 32 * MB,
  cpus: 1,
  processes: 64,
  openFiles: 256,
  inodes: 64,
};

/** Makes sandboxes: the zygote, or bubblewrap. */
export interface SandboxMaker {
  /** Interpreters that can be forked into its sandboxes; null where none can. */
  readonly templates: Templates | null;
  /** Makes one, with its control groups. @throws {Error} when it can't; nothing is left then */
  make(id: string, request: StartRequest, limits: StartLimits, divided: boolean): MadeSandbox;
}

/** A started sandbox. */
export interface MadeSandbox extends Pick<Started, 'ended'> {
  /** Pid of its agent on this machine; null when unknown. */
  readonly pid: Promise<number> | null;
  /** Resizes its disk; false where the kernel can't. */
  resize(bytes: number): Promise<boolean>;
  /** Releases what only the start needed. */
  settled(): void;
  /** Ends it; resolves when nothing of it is left. @throws {Error} with what can't be removed */
  remove(): Promise<void>;
}

interface RunningSandbox {
  readonly made: MadeSandbox;
  /** Uid of its own; null for the launcher's. */
  readonly uid: number | null;
  /** Of one whose group is divided. */
  readonly leaves: Leaves | null;
  /** Tail of the changes of its limits, which are serialised. */
  limiting: Promise<unknown>;
  /** The server has asked for its end. */
  stopping: boolean;
}

/** What becomes of sandboxes by itself. */
export interface SandboxListener {
  /** One can't be started. */
  refused(id: string, problem: string): void;
  /** One has ended; `stderr` is what it said outside of its programs. */
  ended(id: string, stderr: string): void;
}

/** Whose sandboxes they are; see LauncherSetup (protocol.ts). */
type SandboxesOf = Pick<LauncherSetup, 'instance' | 'root' | 'socket'>;

/** Starts and removes sandboxes: in the server, where they are forked, and in the launcher, where bubblewrap makes them. */
export class Sandboxes {
  readonly #own: SandboxesOf;
  readonly #cgroups: Cgroups;
  readonly #maker: SandboxMaker;
  readonly #listener: SandboxListener;
  readonly #running = new Map<string, RunningSandbox>();
  readonly #users: Users;

  constructor(own: SandboxesOf, parts: { cgroups: Cgroups; maker: SandboxMaker; listener: SandboxListener }) {
    this.#own = own;
    this.#users = new Users(own.instance);
    this.#cgroups = parts.cgroups;
    this.#maker = parts.maker;
    this.#listener = parts.listener;
  }

  start({
    id,
    key,
    limits,
    divided,
    home,
    network,
  }: StartOptions & { id: string; key: string; limits: StartLimits }): void {
    let uid: number | null = null;
    try {
      if (this.#own.root) uid = this.#users.take();
      const groups = this.#cgroups.directories(id);
      const made = this.#make(id, limits, { uid, greeting: `${key} ${id}\n`, divided, home, network });
      const leaves = divided ? new Leaves(groups, () => this.#cgroups.leafMade(id)) : null;
      if (divided) this.#cgroups.leafMade(id);
      const running = { made, uid, leaves, limiting: Promise.resolve(), stopping: false };
      this.#running.set(id, running);
      // Of one that is being stopped nobody asks for its last words.
      void made.ended.then(stderr => running.stopping || this.#listener.ended(id, stderr));
    } catch (error) {
      if (uid !== null) this.#users.give(uid);
      this.#listener.refused(id, error instanceof Error ? error.message : String(error));
    }
  }

  /** The agent has answered. */
  settled(id: string): void {
    this.#running.get(id)?.made.settled();
  }

  limitMemory(id: string, bytes: number): Promise<boolean> {
    return this.#limit(id, () => this.#cgroups.limitMemory(id, bytes));
  }

  /** Resolves to false when the kernel can't, or the sandbox is being removed. */
  resize(id: string, limits: NewLimits): Promise<boolean> {
    return this.#limit(
      id,
      async made => (await made.resize(limits.diskBytes)) && this.#cgroups.resize(id, limits),
    );
  }

  /** Runs a change after earlier ones. */
  #limit(id: string, change: (made: MadeSandbox) => Promise<boolean>): Promise<boolean> {
    const running = this.#usable(id);
    if (!running) return Promise.resolve(false);
    // The sandbox may be ending.
    const changed = running.limiting.then(() => change(running.made)).catch(() => false);
    running.limiting = changed;
    return changed;
  }

  /** Forks a template's interpreter into a sandbox; null where there is none. */
  async fork(id: string, request: PreforkRequest): Promise<Forked | null> {
    const running = this.#usable(id);
    const { templates } = this.#maker;
    if (!running?.made.pid || !templates) return null;
    const { leaves, uid } = running;
    let leaf: string | null = null;
    try {
      const agent = await running.made.pid;
      if (running.stopping) return null;
      leaf = (await leaves?.take()) ?? null;
      const group = this.#cgroups.directories(id);
      const { procs } = leaf === null ? group : leafOf(group, leaf);
      const members = `${(leaves ? leafOf(group, MAIN) : group).pids}/cgroup.procs`;
      const pid = await templates.fork(request, { id, procs, members, uid, agent });
      if (pid !== null) return { pid, leaf };
    } catch {
      // It is started in its sandbox.
    }
    if (leaf !== null) leaves?.give(leaf);
    return null;
  }

  /** Moves a program that waits to begin into a leaf of its own; null where that can't be done. */
  async place(id: string, pid: number): Promise<string | null> {
    return this.#usable(id)?.leaves?.place(pid) ?? null;
  }

  give(id: string, leaf: string): void {
    this.#running.get(id)?.leaves?.give(leaf);
  }

  /** Resolves when nothing of it is left; what can't be removed is told on standard error, and its user is not given back. */
  async stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (!running) return;
    running.stopping = true;
    // What still writes to its group must not do so when another has it (src/agent/groups.c).
    await running.limiting;
    await running.leaves?.idle;
    try {
      await running.made.remove();
      if (running.uid !== null) this.#users.give(running.uid);
    } catch (error) {
      process.stderr.write(`Something of a sandbox is left: ${(error as Error).message}\n`);
    } finally {
      this.#running.delete(id);
    }
  }

  /** A sandbox that may be changed: none that is being removed. */
  #usable(id: string): RunningSandbox | undefined {
    const running = this.#running.get(id);
    return running?.stopping ? undefined : running;
  }

  /** Starts a sandbox that the server does not know. @throws {Error} with what kept its agent from starting */
  async probe(): Promise<void> {
    const id = 'probe';
    const uid = this.#own.root ? this.#users.take() : null;
    let made: MadeSandbox | null = null;
    try {
      // The server closes the unknown connection, and the agent reports that.
      made = this.#make(id, PROBE_LIMITS, {
        uid,
        greeting: '\n',
        divided: false,
        home: false,
        network: null,
      });
      const stderr = await made.ended;
      if (stderr !== 'the service is gone') throw new Error(stderr || 'it ended without a word');
    } finally {
      await made?.remove();
      if (uid !== null) this.#users.give(uid);
    }
  }

  #make(
    id: string,
    limits: StartLimits,
    { divided, ...own }: { uid: number | null; greeting: string } & StartOptions,
  ): MadeSandbox {
    const group = this.#cgroups.directories(id);
    const { version, procs } = divided ? leafOf(group, MAIN) : group;
    const request = {
      ...own,
      procs,
      born: version === 2 ? dirname(procs[0]!) : null,
      openFiles: limits.openFiles,
      socket: this.#own.socket,
    };
    return this.#maker.make(id, request, limits, divided);
  }
}
