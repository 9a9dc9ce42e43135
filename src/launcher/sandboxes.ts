import { chownSync, closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Cgroups } from '../cgroup/cgroup.ts';
import { Leaves, leafOf, MAIN } from '../cgroup/leaves.ts';
import { startBubblewrap } from './bubblewrap.ts';
import { killGroup, removeGroup } from './groups.ts';
import { BASE, DISK } from './layout.ts';
import { mount, reconfigure, unmount } from './libc.ts';
import type {
  Forked,
  LauncherReply,
  LauncherSetup,
  NewLimits,
  PreforkRequest,
  StartLimits,
  StartOptions,
} from './protocol.ts';
import { takeStep } from './show-view.ts';
import type { Started, StartRequest } from './start-request.ts';
import { MS, terminals } from './steps.ts';
import { Templates } from './templates.ts';
import { Users } from './users.ts';
import type { View } from './view.ts';
import type { Zygote, ZygoteSandbox } from './zygote.ts';

/** A forked agent is one process throughout. */
export const FORKED_TASKS = 1;
/** Extra processes for the start of bubblewrap and the agent; the server lowers the limit afterwards. */
const WRAPPED_TASKS = 16;
/** What a group of a sandbox that has ended by itself takes to be empty, milliseconds; longer is not its own doing. */
const EMPTY_MS = 200;
const MB = 1024 * 1024;
const PROBE_LIMITS = {
  memoryBytes: 64 * MB,
  diskBytes: 32 * MB,
  cpus: 1,
  processes: 64,
  openFiles: 256,
  inodes: 64,
};

/** A started sandbox, forked or of bubblewrap. */
interface Made extends Started {
  /** Pid of its agent on this machine; null when unknown. */
  readonly pid: Promise<number> | null;
  /** Resizes its disk; false where the kernel can't. */
  resize(bytes: number): Promise<boolean>;
  /** Releases what only the start needed. */
  settled(): void;
  /** Releases what was needed while it ran. */
  close(): void;
}

interface RunningSandbox {
  readonly made: Made;
  /** Uid of its own; null for the launcher's. */
  readonly uid: number | null;
  /** Of one whose group is divided. */
  readonly leaves: Leaves | null;
  /** Tail of the changes of its limits, which are serialised. */
  limiting: Promise<unknown>;
  /** Tail of the moves of its programs, likewise. */
  placing: Promise<unknown>;
  /** The server has asked for its end. */
  stopping: boolean;
}

/** Starts and removes sandboxes. */
export class Sandboxes {
  readonly #setup: LauncherSetup;
  readonly #cgroups: Cgroups;
  readonly #bubblewrap: string | null;
  readonly #view: View | null;
  readonly #zygote: Zygote | null;
  readonly #templates: Templates | null;
  readonly #send: (reply: LauncherReply) => void;
  readonly #running = new Map<string, RunningSandbox>();
  readonly #users: Users;

  constructor(parts: {
    setup: LauncherSetup;
    cgroups: Cgroups;
    bubblewrap: string | null;
    /** What sandboxes see; null before it is laid out. */
    view: View | null;
    /** Forks sandboxes; without one bubblewrap starts them. */
    zygote: Zygote | null;
    send: (reply: LauncherReply) => void;
  }) {
    this.#setup = parts.setup;
    this.#users = new Users(parts.setup.instance);
    this.#cgroups = parts.cgroups;
    this.#bubblewrap = parts.bubblewrap;
    this.#view = parts.view;
    this.#zygote = parts.zygote;
    this.#templates = parts.zygote && new Templates(parts.zygote, parts.cgroups);
    this.#send = parts.send;
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
      if (this.#setup.root) uid = this.#users.take();
      const groups = this.#cgroups.directories(id);
      const made = this.#make(id, limits, { uid, greeting: `${key} ${id}\n`, divided, home, network });
      const leaves = divided ? new Leaves(groups, () => this.#cgroups.leafMade(id)) : null;
      const done = Promise.resolve();
      const running = { made, uid, leaves, limiting: done, placing: done, stopping: false };
      this.#running.set(id, running);
      // Of one that is being stopped nobody asks for its last words.
      void made.ended.then(stderr => running.stopping || this.#send({ event: 'ended', id, stderr }));
    } catch (error) {
      if (uid !== null) this.#users.give(uid);
      void removeGroup(this.#cgroups, id);
      this.#send({ event: 'refused', id, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  /** The agent has answered. */
  settled(id: string): void {
    this.#running.get(id)?.made.settled();
  }

  limitMemory(id: string, bytes: number): Promise<boolean> {
    return this.#limit(id, async () => this.#cgroups.limitMemory(id, bytes));
  }

  /** Resolves to false when the kernel can't, or the sandbox is being removed. */
  resize(id: string, limits: NewLimits): Promise<boolean> {
    return this.#limit(
      id,
      async made => (await made.resize(limits.diskBytes)) && this.#cgroups.resize(id, limits),
    );
  }

  /** Runs a change after earlier ones. */
  #limit(id: string, change: (made: Made) => Promise<boolean>): Promise<boolean> {
    const running = this.#running.get(id);
    if (!running) return Promise.resolve(false);
    // The sandbox may be ending.
    const changed = running.limiting.then(() => change(running.made)).catch(() => false);
    running.limiting = changed;
    return changed;
  }

  /** Forks a template's interpreter into a sandbox; null where there is none. */
  async fork(id: string, request: PreforkRequest): Promise<Forked | null> {
    const running = this.#running.get(id);
    if (!running?.made.pid || !this.#templates) return null;
    const { leaves, uid } = running;
    let leaf: string | null = null;
    try {
      const agent = await running.made.pid;
      leaf = leaves?.take() ?? null;
      const group = this.#cgroups.directories(id);
      const { procs } = leaf === null ? group : leafOf(group, leaf);
      const members = `${(leaves ? leafOf(group, MAIN) : group).pids}/cgroup.procs`;
      const pid = await this.#templates.fork(request, { id, procs, members, uid, agent });
      if (pid !== null) return { pid, leaf };
    } catch {
      // It is started in its sandbox.
    }
    if (leaf !== null) leaves?.give(leaf);
    return null;
  }

  /** Moves a program that waits to begin into a leaf of its own; null where that can't be done. */
  place(id: string, pid: number): Promise<string | null> {
    const running = this.#running.get(id);
    if (!running?.leaves) return Promise.resolve(null);
    const { leaves } = running;
    const placed = running.placing.then(() => leaves.place(pid));
    running.placing = placed;
    return placed;
  }

  give(id: string, leaf: string): void {
    this.#running.get(id)?.leaves?.give(leaf);
  }

  async stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running) {
      const { made, uid } = running;
      running.stopping = true;
      await running.placing;
      // A sandbox ends with its first process. With bubblewrap, that is not the process that was started.
      if (made.pid) this.#unthrottle(id);
      else await killGroup(this.#cgroups, id);
      made.kill();
      await made.ended;
      made.close();
      this.#running.delete(id);
      if (!(await removeGroup(this.#cgroups, id, EMPTY_MS))) {
        await killGroup(this.#cgroups, id);
        await removeGroup(this.#cgroups, id);
      }
      if (uid !== null) this.#users.give(uid);
    }
    this.#send({ event: 'stopped', id });
  }

  #unthrottle(id: string): void {
    try {
      this.#cgroups.unthrottle(id);
    } catch {
      // The group may never have been created.
    }
  }

  /** Starts a sandbox that the server does not know. @throws {Error} with what kept its agent from starting */
  async probe(): Promise<void> {
    const id = 'probe';
    const uid = this.#setup.root ? this.#users.take() : null;
    let made: Made | null = null;
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
      made?.close();
      await removeGroup(this.#cgroups, id);
      if (uid !== null) this.#users.give(uid);
    }
  }

  /** Ends all sandboxes of this instance, including those of an earlier server. */
  async stopAll(): Promise<void> {
    await Promise.all(
      this.#cgroups.list().map(async id => {
        await killGroup(this.#cgroups, id);
        await removeGroup(this.#cgroups, id);
      }),
    );
  }

  #make(
    id: string,
    limits: StartLimits,
    { divided, ...own }: { uid: number | null; greeting: string } & StartOptions,
  ): Made {
    const group = this.#cgroups.directories(id);
    const { version, procs } = divided ? leafOf(group, MAIN) : group;
    const request = {
      ...own,
      procs,
      group: version === 2 ? dirname(procs[0]!) : null,
      openFiles: limits.openFiles,
      socket: this.#setup.socket,
    };
    const limited = (agentTasks: number) => ({ ...limits, processes: limits.processes + agentTasks });
    if (this.#zygote) {
      const plan = this.#cgroups.plan(id, limited(FORKED_TASKS), divided);
      return forked(this.#zygote.start(request, limits, plan));
    }
    if (!this.#bubblewrap || !this.#view) throw new Error('nothing here can start a sandbox');
    this.#cgroups.create(id, limited(WRAPPED_TASKS), divided);
    return wrapped(id, request, limits, { bubblewrap: this.#bubblewrap, view: this.#view });
  }
}

/** A sandbox of the zygote, which makes its control groups and disk too. */
function forked(sandbox: ZygoteSandbox): Made {
  return { ...sandbox, settled() {}, close() {} };
}

/**
 * Bubblewrap's. Its disk is mounted here only until its agent has answered, for every mount makes the next sandbox slower to start;
 * then it lives on inside, and what is open of it lets it be resized.
 */
function wrapped(
  id: string,
  request: StartRequest,
  limits: StartLimits,
  by: { bubblewrap: string; view: View },
): Made {
  let disk: string | null = makeDisk(id, limits, request.uid);
  let root = -1;
  const made = {
    pid: null,
    async resize(bytes: number) {
      reconfigure(root, { size: String(bytes) });
      return true;
    },
    settled() {
      if (disk) removeDisk(disk);
      disk = null;
    },
    close() {
      made.settled();
      if (root >= 0) closeSync(root);
      root = -1;
    },
  };
  try {
    root = openSync(disk, constants.O_DIRECTORY);
    return { ...made, ...startBubblewrap(request, disk, by) };
  } catch (error) {
    made.close();
    throw error;
  }
}

function makeDisk(id: string, limits: StartLimits, uid: number | null): string {
  const disk = `${BASE.disks}/${id}`;
  mkdirSync(disk);
  const data = `mode=0755,size=${limits.diskBytes},nr_inodes=${limits.inodes}`;
  try {
    mount({ source: 'tmpfs', target: disk, type: 'tmpfs', flags: MS.NOSUID | MS.NODEV, data });
    for (const name of Object.keys(DISK)) {
      mkdirSync(`${disk}/${name}`);
      if (uid !== null) chownSync(`${disk}/${name}`, uid, uid);
    }
    mkdirSync(`${disk}/pts`);
    takeStep(terminals(`${disk}/pts`));
    return disk;
  } catch (error) {
    removeDisk(disk);
    throw error;
  }
}

/** Removes a disk, also one that is only partly set up. */
function removeDisk(disk: string): void {
  try {
    unmount(disk);
  } finally {
    rmdirSync(disk);
  }
}
