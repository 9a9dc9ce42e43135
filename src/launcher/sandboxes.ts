import { chownSync, closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Cgroups } from '../cgroup/cgroup.ts';
import { startBubblewrap } from './bubblewrap.ts';
import { killGroup, removeGroup } from './groups.ts';
import { BASE, DISK } from './layout.ts';
import { mount, reconfigure, unmount } from './libc.ts';
import type { LauncherReply, LauncherSetup, NewLimits, PreforkRequest, StartLimits } from './protocol.ts';
import { takeStep } from './show-view.ts';
import type { Started, StartRequest } from './start-request.ts';
import { MS, terminals } from './steps.ts';
import { Templates } from './templates.ts';
import { Users } from './users.ts';
import type { View } from './view.ts';
import type { Zygote, ZygoteSandbox } from './zygote.ts';

/** A forked agent is one process from its beginning to its end. */
const FORKED_TASKS = 1;
/** Room for bubblewrap and the agent to come up; the server takes back what they don't need. */
const WRAPPED_TASKS = 16;
/** What a group of a sandbox that has ended by itself takes to be empty, milliseconds; longer is not its own doing. */
const EMPTY_MS = 200;
const MB = 1024 * 1024;
const TRIAL = {
  memoryBytes: 64 * MB,
  diskBytes: 32 * MB,
  cpus: 1,
  processes: 64,
  openFiles: 256,
  inodes: 64,
};

/** One that was started, whoever did it. */
interface Made extends Started {
  /** See {@link LauncherReply}. */
  readonly agentTasks: number | null;
  /** Its agent's number on this machine; null where that is not known. */
  readonly pid: Promise<number> | null;
  /** Gives its disk another size; false where this kernel can't. */
  resize(bytes: number): Promise<boolean>;
  /** Lets go of what was needed for its start. */
  settled(): void;
  /** And of what was needed as long as it ran. */
  close(): void;
}

interface Running {
  readonly made: Made;
  /** Its own user; null as whoever runs the launcher. */
  readonly uid: number | null;
  /** Changes of its limits are made one after the other. */
  limiting: Promise<unknown>;
}

/** Starts sandboxes and takes them away without a trace. */
export class Sandboxes {
  readonly #setup: LauncherSetup;
  readonly #cgroups: Cgroups;
  readonly #bubblewrap: string | null;
  readonly #view: View | null;
  readonly #zygote: Zygote | null;
  readonly #templates: Templates | null;
  readonly #tell: (reply: LauncherReply) => void;
  readonly #running = new Map<string, Running>();
  readonly #users: Users;

  constructor(parts: {
    setup: LauncherSetup;
    cgroups: Cgroups;
    bubblewrap: string | null;
    /** What they see; null before there is one. */
    view: View | null;
    /** Makes them; without one bubblewrap does. */
    zygote: Zygote | null;
    tell: (reply: LauncherReply) => void;
  }) {
    this.#setup = parts.setup;
    this.#users = new Users(parts.setup.instance);
    this.#cgroups = parts.cgroups;
    this.#bubblewrap = parts.bubblewrap;
    this.#view = parts.view;
    this.#zygote = parts.zygote;
    this.#templates = parts.zygote && new Templates(parts.zygote, parts.cgroups);
    this.#tell = parts.tell;
  }

  start(id: string, key: string, limits: StartLimits): void {
    let uid: number | null = null;
    try {
      if (this.#setup.root) uid = this.#users.take();
      const groups = this.#cgroups.directories(id);
      const made = this.#make(id, limits, { uid, greeting: `${key} ${id}\n` });
      void made.ended.then(words => this.#tell({ event: 'ended', id, stderr: words }));
      this.#running.set(id, { made, uid, limiting: Promise.resolve() });
      this.#tell({ event: 'started', id, groups, agentTasks: made.agentTasks });
    } catch (error) {
      if (uid !== null) this.#users.give(uid);
      void removeGroup(this.#cgroups, id);
      this.#tell({ event: 'refused', id, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  /** The agent has answered. */
  settled(id: string): void {
    this.#running.get(id)?.made.settled();
  }

  limitMemory(id: string, bytes: number): Promise<boolean> {
    return this.#limit(id, async () => this.#cgroups.limitMemory(id, bytes));
  }

  /** Resolves to false when this kernel can't, or it is being taken away. */
  resize(id: string, limits: NewLimits): Promise<boolean> {
    return this.#limit(
      id,
      async made => (await made.resize(limits.diskBytes)) && this.#cgroups.resize(id, limits),
    );
  }

  /** After what was asked before. */
  #limit(id: string, change: (made: Made) => Promise<boolean>): Promise<boolean> {
    const running = this.#running.get(id);
    if (!running) return Promise.resolve(false);
    // It may be on its way out.
    const changed = running.limiting.then(() => change(running.made)).catch(() => false);
    running.limiting = changed;
    return changed;
  }

  /** Makes a program in a sandbox a fork of an interpreter that waits; null where there is none. */
  async fork(id: string, request: PreforkRequest): Promise<number | null> {
    const running = this.#running.get(id);
    if (!running?.made.pid || !this.#templates) return null;
    const { procs } = this.#cgroups.directories(id);
    try {
      const agent = await running.made.pid;
      return await this.#templates.fork(request, { id, procs, uid: running.uid, agent });
    } catch {
      return null;
    }
  }

  async stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running) {
      const { made, uid } = running;
      // With its first process all of a sandbox ends; of bubblewrap's, that is not the process which was started.
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
    this.#tell({ event: 'stopped', id });
  }

  #unthrottle(id: string): void {
    try {
      this.#cgroups.unthrottle(id);
    } catch {
      // It was never made.
    }
  }

  /** Starts one that nobody waits for. @throws {Error} with what kept its agent from coming up */
  async probe(): Promise<void> {
    const id = 'trial';
    const uid = this.#setup.root ? this.#users.take() : null;
    let made: Made | null = null;
    try {
      // The server does not know it, and closes the connection: that is what its agent has to say.
      made = this.#make(id, TRIAL, { uid, greeting: '\n' });
      const words = await made.ended;
      if (words !== 'the service is gone') throw new Error(words || 'it ended without a word');
    } finally {
      made?.close();
      await removeGroup(this.#cgroups, id);
      if (uid !== null) this.#users.give(uid);
    }
  }

  /** Ends all of this instance's sandboxes, those of an earlier server too. */
  async stopAll(): Promise<void> {
    await Promise.all(
      this.#cgroups.list().map(async id => {
        await killGroup(this.#cgroups, id);
        await removeGroup(this.#cgroups, id);
      }),
    );
  }

  #make(id: string, limits: StartLimits, own: { uid: number | null; greeting: string }): Made {
    const { version, procs } = this.#cgroups.directories(id);
    const request = {
      ...own,
      procs,
      group: version === 2 ? dirname(procs[0]!) : null,
      openFiles: limits.openFiles,
      socket: this.#setup.socket,
    };
    const group = (agentTasks: number) => ({ ...limits, processes: limits.processes + agentTasks });
    if (this.#zygote) {
      const plan = this.#cgroups.plan(id, group(FORKED_TASKS));
      return forked(this.#zygote.start(request, limits, plan));
    }
    if (!this.#bubblewrap || !this.#view) throw new Error('nothing here can start a sandbox');
    this.#cgroups.create(id, group(WRAPPED_TASKS));
    return wrapped(id, request, limits, { bubblewrap: this.#bubblewrap, view: this.#view });
  }
}

/** A child of the zygote's, which makes its control groups and its disk too. */
function forked(sandbox: ZygoteSandbox): Made {
  return { ...sandbox, agentTasks: FORKED_TASKS, settled() {}, close() {} };
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
    agentTasks: null,
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

/** Also of a disk that is only half there. */
function removeDisk(disk: string): void {
  try {
    unmount(disk);
  } finally {
    rmdirSync(disk);
  }
}
