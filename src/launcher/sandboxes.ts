import { chownSync, closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import type { Cgroups } from '../cgroup/cgroup.ts';
import { startBubblewrap } from './bubblewrap.ts';
import { killGroup, removeGroup } from './groups.ts';
import { Interpreters } from './interpreters.ts';
import { BASE, DISK } from './layout.ts';
import { MS, mount, reconfigure, unmount } from './libc.ts';
import type { Started } from './order.ts';
import type { ForkOrder, LauncherReply, LauncherSetup, StartLimits } from './protocol.ts';
import { Users } from './users.ts';
import type { View } from './view.ts';
import type { Zygote } from './zygote/client.ts';

/** Room for the agent, and bubblewrap, to come up; the server takes back what they don't need. */
const AGENT_TASKS = 16;
/** They are a resource of the whole machine. */
const TERMINALS = 16;
const TRIAL = { memoryBytes: 64 * 1024 * 1024, cpus: 1, processes: 64, openFiles: 256, inodes: 64 };

interface Running {
  readonly process: Started;
  /** Its own user; null as whoever runs the launcher. */
  readonly uid: number | null;
  /** Its disk is still mounted here. */
  disk: string | null;
  /** The disk's root, open: it can be resized when it is mounted here no more. */
  readonly diskRoot: number;
}

/** Starts sandboxes and takes them away without a trace. */
export class Sandboxes {
  readonly #setup: LauncherSetup;
  readonly #cgroups: Cgroups;
  readonly #bubblewrap: string | null;
  readonly #view: View | null;
  readonly #zygote: Zygote | null;
  readonly #interpreters: Interpreters | null;
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
    this.#interpreters = parts.zygote && new Interpreters(parts.zygote, parts.cgroups);
    this.#tell = parts.tell;
  }

  start(id: string, key: string, limits: StartLimits): void {
    let uid: number | null = null;
    let disk: string | null = null;
    let diskRoot = -1;
    try {
      if (this.#setup.root) uid = this.#users.take();
      this.#cgroups.create(id, { ...limits, processes: limits.processes + AGENT_TASKS });
      disk = this.#makeDisk(id, limits, uid);
      diskRoot = openSync(disk, constants.O_DIRECTORY);
      const groups = this.#cgroups.directories(id);
      const process = this.#begin(id, limits, { uid, disk, greeting: `${key} ${id}\n` });
      void process.ended.then(words => this.#tell({ event: 'ended', id, stderr: words }));
      this.#running.set(id, { process, uid, disk, diskRoot });
      this.#tell({ event: 'started', id, groups });
    } catch (error) {
      if (diskRoot >= 0) closeSync(diskRoot);
      if (disk) removeDisk(disk);
      if (uid !== null) this.#users.give(uid);
      void removeGroup(this.#cgroups, id);
      this.#tell({ event: 'refused', id, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Lets go of the disk, which lives on inside: every mount here makes the next sandbox slower to start. */
  settled(id: string): void {
    const running = this.#running.get(id);
    if (!running?.disk) return;
    removeDisk(running.disk);
    running.disk = null;
  }

  limitMemory(id: string, bytes: number): boolean {
    try {
      return this.#running.has(id) && this.#cgroups.limitMemory(id, bytes);
    } catch {
      // It is being taken away.
      return false;
    }
  }

  /** Makes a program in a sandbox a fork of an interpreter that waits; null where there is none. */
  async fork(id: string, order: ForkOrder): Promise<number | null> {
    const running = this.#running.get(id);
    if (!running || !this.#interpreters) return null;
    const { procs } = this.#cgroups.directories(id);
    return this.#interpreters.fork(id, order, { procs, uid: running.uid, ends: order.ends });
  }

  /** False when this kernel can't, or it is being taken away. */
  resize(id: string, limits: { memoryBytes: number; cpus: number }): boolean {
    const running = this.#running.get(id);
    if (!running) return false;
    try {
      reconfigure(running.diskRoot, { size: String(diskBytes(limits)) });
      return this.#cgroups.resize(id, limits);
    } catch {
      return false;
    }
  }

  async stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running) {
      await killGroup(this.#cgroups, id);
      running.process.kill();
      await running.process.ended;
      this.settled(id);
      closeSync(running.diskRoot);
      this.#running.delete(id);
      if (running.uid !== null) this.#users.give(running.uid);
      await removeGroup(this.#cgroups, id);
    }
    this.#tell({ event: 'stopped', id });
  }

  /** Starts one that nobody waits for. @throws {Error} with what kept its agent from coming up */
  async tryOut(): Promise<void> {
    const id = 'trial';
    const uid = this.#setup.root ? this.#users.take() : null;
    const limits = TRIAL;
    this.#cgroups.create(id, limits);
    const disk = this.#makeDisk(id, limits, uid);
    try {
      // The server does not know it, and closes the connection: that is what its agent has to say.
      const { ended } = this.#begin(id, limits, { uid, disk, greeting: '\n' });
      const words = await ended;
      if (words !== 'the service is gone') throw new Error(words || 'it ended without a word');
    } finally {
      removeDisk(disk);
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

  #makeDisk(id: string, limits: StartLimits, uid: number | null): string {
    const disk = `${BASE.disks}/${id}`;
    mkdirSync(disk);
    const options = `mode=0755,size=${diskBytes(limits)},nr_inodes=${limits.inodes}`;
    try {
      mount('tmpfs', disk, MS.NOSUID | MS.NODEV, options);
      for (const name of Object.keys(DISK)) {
        mkdirSync(`${disk}/${name}`);
        if (uid !== null) chownSync(`${disk}/${name}`, uid, uid);
      }
      mkdirSync(`${disk}/pts`);
      mount('devpts', `${disk}/pts`, MS.NOSUID | MS.NOEXEC, `ptmxmode=0666,mode=0620,max=${TERMINALS}`);
      return disk;
    } catch (error) {
      removeDisk(disk);
      throw error;
    }
  }

  #begin(
    id: string,
    { openFiles }: StartLimits,
    { uid, disk, greeting }: { uid: number | null; disk: string; greeting: string },
  ): Started {
    const { socket } = this.#setup;
    const { procs } = this.#cgroups.directories(id);
    const order = { procs, disk, uid, openFiles, socket, greeting };
    if (this.#zygote) return this.#zygote.fork(id, order);
    if (this.#bubblewrap && this.#view) return startBubblewrap(order, this.#bubblewrap, this.#view);
    throw new Error('nothing here can start a sandbox');
  }
}

function diskBytes({ memoryBytes }: { memoryBytes: number }): number {
  return Math.floor(memoryBytes / 2);
}

/** Also of a disk that is only half there. */
function removeDisk(disk: string): void {
  try {
    unmount(disk);
  } finally {
    rmdirSync(disk);
  }
}
