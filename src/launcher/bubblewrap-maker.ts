import { chownSync, closeSync, constants, mkdirSync, openSync, rmdirSync } from 'node:fs';
import type { Cgroups } from '../cgroup/cgroup.ts';
import { startBubblewrap } from './bubblewrap.ts';
import { killGroup, removeGroup } from './groups.ts';
import { BASE, DISK } from './layout.ts';
import { mount, reconfigure, unmount } from './libc.ts';
import type { StartLimits } from './protocol.ts';
import type { MadeSandbox, SandboxMaker } from './sandboxes.ts';
import { takeStep } from './show-view.ts';
import type { StartRequest } from './start-request.ts';
import { MS, terminals } from './steps.ts';
import type { View } from './view.ts';

/** Extra processes for the start of bubblewrap and the agent; the server lowers the limit afterwards. */
const WRAPPED_TASKS = 16;
/** What a group of a sandbox that has ended by itself takes to be empty, milliseconds; longer is not its own doing. */
const EMPTY_MS = 200;

/** Makes sandboxes by bubblewrap. */
export class BubblewrapMaker implements SandboxMaker {
  readonly templates = null;
  readonly #cgroups: Cgroups;
  readonly #by: { bubblewrap: string; view: View };

  constructor(cgroups: Cgroups, by: { bubblewrap: string; view: View }) {
    this.#cgroups = cgroups;
    this.#by = by;
  }

  make(id: string, request: StartRequest, limits: StartLimits, divided: boolean): MadeSandbox {
    const tasks = limits.processes + WRAPPED_TASKS;
    this.#cgroups.create(id, { ...limits, processes: tasks }, divided);
    try {
      const { kill, close, ...made } = wrapped(id, request, limits, this.#by);
      const remove = async () => {
        // Its first process is not the one that was started.
        await killGroup(this.#cgroups, id);
        kill();
        await made.ended;
        try {
          close();
        } finally {
          await this.#removeGroup(id);
        }
      };
      return { ...made, remove };
    } catch (error) {
      void removeGroup(this.#cgroups, id);
      throw error;
    }
  }

  async #removeGroup(id: string): Promise<void> {
    if (await removeGroup(this.#cgroups, id, EMPTY_MS)) return;
    await killGroup(this.#cgroups, id);
    await removeGroup(this.#cgroups, id);
  }
}

/**
 * Its disk is mounted here only until its agent has answered, for every mount makes the next sandbox slower to start;
 * then it lives on inside, and what is open of it lets it be resized.
 */
function wrapped(
  id: string,
  request: StartRequest,
  limits: StartLimits,
  by: { bubblewrap: string; view: View },
) {
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
