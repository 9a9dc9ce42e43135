import { chownSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import type { Cgroups } from '../cgroup/cgroup.ts';
import type { Base } from './base.ts';
import { closeFd, connectAbstract, MS, mount, unmount } from './libc.ts';
import { sandboxCommand } from './plan.ts';
import type { LauncherReply, LauncherSetup, StartLimits } from './protocol.ts';

/** Users that no system assigns (systemd's UIDS-GIDS.md): as root, every sandbox is one of its own. */
const FIRST_UID = 1_879_048_192;
const UIDS = 200_000_000;
/** Threads of the agent and bubblewrap itself, which don't count as the sandbox's. */
const AGENT_TASKS = 8;
const KEPT_STDERR_BYTES = 800;
const RETRY_MS = 2;
/** What a killed group may take to be empty. */
const STOP_MS = 10_000;

interface Running {
  readonly process: Bun.Subprocess;
  /** Its disk is still mounted here. */
  disk: string | null;
}

/** Starts sandboxes and takes them away without a trace. */
export class Sandboxes {
  readonly #setup: LauncherSetup;
  readonly #base: Base;
  readonly #cgroups: Cgroups;
  readonly #bubblewrap: string;
  readonly #tell: (reply: LauncherReply) => void;
  readonly #running = new Map<string, Running>();
  #count = 0;

  constructor(parts: {
    setup: LauncherSetup;
    base: Base;
    cgroups: Cgroups;
    bubblewrap: string;
    tell: (reply: LauncherReply) => void;
  }) {
    this.#setup = parts.setup;
    this.#base = parts.base;
    this.#cgroups = parts.cgroups;
    this.#bubblewrap = parts.bubblewrap;
    this.#tell = parts.tell;
  }

  start(id: string, limits: StartLimits): void {
    const uid = this.#setup.root ? FIRST_UID + (this.#count++ % UIDS) : null;
    let disk: string | null = null;
    try {
      this.#cgroups.create(id, { ...limits, processes: limits.processes + AGENT_TASKS });
      disk = this.#makeDisk(id, limits, uid);
      this.#running.set(id, { process: this.#spawn(id, limits, uid, disk), disk });
      this.#tell({ event: 'started', id, groups: this.#cgroups.directories(id) });
    } catch (error) {
      if (disk) removeDisk(disk);
      void this.#removeGroup(id);
      this.#tell({ event: 'refused', id, problem: error instanceof Error ? error.message : String(error) });
    }
  }

  /** The agent is up, and nothing else is inside yet. */
  settled(id: string): void {
    protectAgent(this.#cgroups.pids(id));
    this.#releaseDisk(id);
    this.#tell({ event: 'settled', id });
  }

  /** The disk lives on inside: every mount here makes the next sandbox slower to start. */
  #releaseDisk(id: string): void {
    const running = this.#running.get(id);
    if (!running?.disk) return;
    removeDisk(running.disk);
    running.disk = null;
  }

  limitMemory(id: string, bytes: number): boolean {
    return this.#running.has(id) && this.#cgroups.limitMemory(id, bytes);
  }

  async stop(id: string): Promise<void> {
    const running = this.#running.get(id);
    if (running) {
      await this.#killGroup(id);
      running.process.kill('SIGKILL');
      await running.process.exited;
      this.#releaseDisk(id);
      this.#running.delete(id);
      await this.#removeGroup(id);
    }
    this.#tell({ event: 'stopped', id });
  }

  /** Ends all of this instance's sandboxes, those of an earlier server too. */
  async stopAll(): Promise<void> {
    await Promise.all(
      this.#cgroups.list().map(async id => {
        await this.#killGroup(id);
        await this.#removeGroup(id);
      }),
    );
  }

  #makeDisk(id: string, limits: StartLimits, uid: number | null): string {
    const disk = `${this.#base.disks}/${id}`;
    mkdirSync(disk);
    const size = Math.floor(limits.memoryBytes / 2);
    mount('tmpfs', disk, MS.NOSUID | MS.NODEV, `mode=0755,size=${size},nr_inodes=${limits.inodes}`);
    for (const name of ['workspace', 'tmp', 'home']) {
      mkdirSync(`${disk}/${name}`);
      if (uid !== null) chownSync(`${disk}/${name}`, uid, uid);
    }
    return disk;
  }

  #spawn(id: string, limits: StartLimits, uid: number | null, disk: string): Bun.Subprocess {
    const { token, socket } = this.#setup;
    const stream = connectAbstract(socket, `${token} ${id}\n`);
    try {
      const command = sandboxCommand({ ...this.#base.layout, disk }, limits, {
        procs: this.#cgroups.directories(id).procs,
        filter: this.#base.filter,
        uid,
        bubblewrap: this.#bubblewrap,
      });
      const child = Bun.spawn({
        cmd: command,
        env: { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' },
        stdin: stream,
        stdout: stream,
        stderr: 'pipe',
      });
      void this.#watch(id, child);
      return child;
    } finally {
      closeFd(stream);
    }
  }

  async #watch(id: string, child: Bun.Subprocess<number, number, 'pipe'>): Promise<void> {
    let stderr = '';
    const decoder = new TextDecoder();
    for await (const chunk of child.stderr) {
      if (stderr.length < KEPT_STDERR_BYTES) stderr += decoder.decode(chunk.slice(0, KEPT_STDERR_BYTES));
    }
    await child.exited;
    this.#tell({ event: 'ended', id, stderr: stderr.trim() });
  }

  async #killGroup(id: string): Promise<void> {
    const until = performance.now() + STOP_MS;
    while (!this.#isEmpty(id) && performance.now() < until) {
      this.#cgroups.kill(id);
      await Bun.sleep(RETRY_MS);
    }
  }

  #isEmpty(id: string): boolean {
    try {
      return this.#cgroups.empty(id);
    } catch {
      return true;
    }
  }

  /** The kernel lets a group go a moment after its last process. */
  async #removeGroup(id: string): Promise<void> {
    const until = performance.now() + STOP_MS;
    while (performance.now() < until) {
      try {
        return this.#cgroups.remove(id);
      } catch {
        await Bun.sleep(RETRY_MS);
      }
    }
  }
}

function removeDisk(disk: string): void {
  unmount(disk);
  rmdirSync(disk);
}

/**
 * Makes the agent the last process of its group that the kernel kills for memory; programs inherit that they are the
 * first, and can't change it. It is known by its number inside, 1 (NSpid in proc(5)).
 */
function protectAgent(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      const inside = /^NSpid:.*\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      if (inside === '1') writeFileSync(`/proc/${pid}/oom_score_adj`, '0');
    } catch {
      // It has gone already, and its end is told elsewhere.
    }
  }
}
