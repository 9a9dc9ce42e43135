import { access, mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { entranceOf, type GroupDirectories, type GroupPlan, pidsIn, SOCKETS_FILE } from './cgroup.ts';

/**
 * A sandbox's group may be divided into leaves: one for its agent, and one for each program that must be told from others
 * that run meanwhile. Leaves only count, and the group above them limits. The CPU is not divided: a program competes with its
 * agent by its priority, wherever both are.
 */

/** Where the agent is, and a program that nothing else runs beside. */
export const MAIN = 'main';
/** Controllers of version 2 that leaves have; what the CPU was used for is counted without one. */
export const LEAF_CONTROLLERS = ['memory', 'pids'] as const;

export function leafOf(group: GroupDirectories, name: string): GroupDirectories {
  const [memory, pids, cpuacct] = [group.memory, group.pids, group.cpuacct].map(
    parent => `${parent}/${name}`,
  );
  const leaf = { version: group.version, memory: memory!, pids: pids!, cpu: group.cpu, cpuacct: cpuacct! };
  const cpu = group.cpu === group.cpuacct ? [] : [group.cpu];
  const file = entranceOf(group.version);
  return { ...leaf, procs: [...dividedOf(leaf), ...cpu].map(directory => `${directory}/${file}`) };
}

/** What makes a leaf. `countsSockets`: the kernel does, where a limit is written, whatever it is (see {@link SOCKETS_FILE}). */
export function leafPlan(leaf: GroupDirectories, countsSockets: boolean): GroupPlan {
  const settings = countsSockets ? [[`${leaf.memory}/${SOCKETS_FILE}`, '-1'] as const] : [];
  return { directories: dividedOf(leaf), settings };
}

/** @throws when it can't be made; nothing is left then */
export async function makeLeaf(group: GroupDirectories, name: string): Promise<void> {
  const countsSockets = group.version === 1 && (await exists(`${group.memory}/${SOCKETS_FILE}`));
  const { directories, settings } = leafPlan(leafOf(group, name), countsSockets);
  const made: string[] = [];
  try {
    for (const directory of directories) {
      await mkdir(directory);
      made.push(directory);
    }
    for (const [file, text] of settings) await writeFile(file, text);
  } catch (error) {
    for (const directory of made) await rmdir(directory);
    throw error;
  }
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Tail of all moves, of every sandbox: the kernel makes one at a time, and one that waits holds a thread that others want for files. */
let moves: Promise<unknown> = Promise.resolve();

/**
 * Moves a process of the group into a leaf. Under version 1 this may take some ten milliseconds. `from`: where it must be still when its
 * turn comes: another's process may have its number by then.
 */
export function enterLeaf(
  leaf: GroupDirectories,
  pid: number,
  from?: Pick<GroupDirectories, 'pids'>,
): Promise<void> {
  const moved = moves.then(async () => {
    if (from && !(await readPids(`${from.pids}/cgroup.procs`)).includes(pid)) throw new Error('it is gone');
    for (const directory of dividedOf(leaf)) await writeFile(`${directory}/cgroup.procs`, String(pid));
  });
  moves = moved.catch(() => {});
  return moved;
}

/** The host's number of a process of the group that has this one in its own namespace of processes; null when there is none. */
export async function findProcess({ pids }: GroupDirectories, numberInside: number): Promise<number | null> {
  // One that was just started is the newest.
  for (const pid of (await readPids(`${pids}/cgroup.procs`)).sort((a, b) => b - a))
    if ((await numberOf(pid)) === numberInside) return pid;
  return null;
}

/** Innermost number of a process, from /proc/PID/status (proc(5)). */
async function numberOf(pid: number): Promise<number | null> {
  try {
    const numbers = /^NSpid:(.*)$/m.exec(await readFile(`/proc/${pid}/status`, 'latin1'))?.[1];
    return Number(numbers?.trim().split(/\s+/).at(-1));
  } catch {
    return null;
  }
}

async function readPids(file: string): Promise<number[]> {
  return pidsIn(await readFile(file, 'utf8'));
}

/** Directories of a leaf, each once. */
function dividedOf({ memory, pids, cpuacct }: Omit<GroupDirectories, 'procs'>): string[] {
  return [...new Set([memory, pids, cpuacct])];
}

/** The leaves of a group beside {@link MAIN}. One that nothing is left in serves again: it can't be removed while files count to it. */
export class Leaves {
  readonly #group: GroupDirectories;
  readonly #free = new Set<string>();
  readonly #onMade: () => void;
  #made = 0;
  /** Tail of what is done to them, one thing after the other. */
  #last: Promise<unknown> = Promise.resolve();

  /** `onMade` is called for each that is new. */
  constructor(group: GroupDirectories, onMade: () => void = () => {}) {
    this.#group = group;
    this.#onMade = onMade;
  }

  /** Resolves when what was asked for until now is done. */
  get idle(): Promise<unknown> {
    return this.#last;
  }

  /** An empty leaf's name. @throws when none can be made */
  take(): Promise<string> {
    return this.#next(() => this.#take());
  }

  give(name: string): void {
    this.#free.add(name);
  }

  /** Puts a program that waits to begin into a leaf; null where that can't be done. `numberInside`: as its agent sees it. */
  place(numberInside: number): Promise<string | null> {
    return this.#next(() => this.#place(numberInside));
  }

  #next<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }

  async #take(): Promise<string> {
    for (const name of this.#free) {
      // What a program has left running is there until it ends.
      const files = dividedOf(leafOf(this.#group, name)).map(directory => `${directory}/cgroup.procs`);
      if ((await Promise.all(files.map(readPids))).some(pids => pids.length > 0)) continue;
      this.#free.delete(name);
      return name;
    }
    const name = `run-${this.#made + 1}`;
    await makeLeaf(this.#group, name);
    this.#made++;
    this.#onMade();
    return name;
  }

  async #place(numberInside: number): Promise<string | null> {
    let name: string | null = null;
    try {
      const main = leafOf(this.#group, MAIN);
      const pid = await findProcess(main, numberInside);
      if (pid === null) return null;
      name = await this.#take();
      await enterLeaf(leafOf(this.#group, name), pid, main);
      return name;
    } catch {
      if (name !== null) this.give(name);
      return null;
    }
  }
}
