import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  bandwidth,
  type CgroupLimits,
  type Cgroups,
  type GroupDirectories,
  type GroupParents,
  type GroupPlan,
  groupIn,
  killAll,
  makeGroup,
  readAllPids,
  removeAll,
  unthrottled,
} from './cgroup.ts';
import { DeadGroups, fieldIn, reclaimed } from './dead-groups.ts';
import { fieldOf } from './figures.ts';
import { LEAF_CONTROLLERS, leafOf, leafPlan, MAIN } from './leaves.ts';

export const CONTROLLERS = ['memory', 'pids', 'cpu'] as const;

/** Groups in the one hierarchy of version 2 (kernel documentation, admin-guide/cgroup-v2). */
export class CgroupsV2 implements Cgroups {
  /** This instance's directory, whose own parent passes the controllers down. */
  readonly #parent: string;
  readonly parents: GroupParents;
  readonly #dead: DeadGroups;
  readonly #hasSwap: boolean;

  /** @throws when it can't be written or the controllers can't be had */
  constructor(parent: string) {
    this.#parent = parent;
    this.parents = { version: 2, memory: parent, pids: parent, cpu: parent, cpuacct: parent };
    mkdirSync(parent, { recursive: true });
    enableControllers(parent);
    this.#hasSwap = existsSync(`${parent}/memory.swap.max`);
    this.#dead = new DeadGroups(
      () => fieldOf(readFileSync(`${parent}/cgroup.stat`, 'latin1'), 'nr_dying_descendants') ?? 0,
    );
  }

  directories(id: string): GroupDirectories {
    return groupIn(this.parents, id);
  }

  plan(id: string, limits: CgroupLimits, divided = false): GroupPlan {
    const directory = `${this.#parent}/${id}`;
    const main = divided ? leafPlan(leafOf(this.directories(id), MAIN), false).directories : [];
    return {
      directories: [directory, ...main],
      settings: [
        [`${directory}/memory.max`, String(limits.memoryBytes)],
        ...(this.#hasSwap ? [[`${directory}/memory.swap.max`, '0'] as const] : []),
        [`${directory}/pids.max`, String(limits.processes)],
        cpuLimit(directory, limits.cpus),
        ...(divided ? [passDown(directory, LEAF_CONTROLLERS)] : []),
      ],
    };
  }

  create(id: string, limits: CgroupLimits, divided = false): void {
    makeGroup(this.plan(id, limits, divided));
  }

  leafMade(): void {}

  async limitMemory(id: string, bytes: number): Promise<boolean> {
    const directory = `${this.#parent}/${id}`;
    const over = async () => Number(await readFile(`${directory}/memory.current`, 'utf8')) - bytes;
    // Version 2 would kill until it fits; what can be given back is asked for first.
    const much = await over();
    if (much > 0) await reclaim(directory, much);
    if ((await over()) > 0) return false;
    await writeFile(`${directory}/memory.max`, String(bytes));
    return true;
  }

  async resize(id: string, { memoryBytes, cpus }: { memoryBytes: number; cpus: number }): Promise<boolean> {
    if (!(await this.limitMemory(id, memoryBytes))) return false;
    await writeFile(...cpuLimit(`${this.#parent}/${id}`, cpus));
    return true;
  }

  kill(id: string): void {
    const directory = `${this.#parent}/${id}`;
    const [file, text] = unthrottled(2);
    writeFileSync(`${directory}/${file}`, text);
    writeFileSync(`${directory}/pids.max`, '0');
    // Since Linux 5.14.
    if (existsSync(`${directory}/cgroup.kill`)) writeFileSync(`${directory}/cgroup.kill`, '1');
    else killAll(readAllPids(directory));
  }

  empty(id: string): boolean {
    return readAllPids(`${this.#parent}/${id}`).length === 0;
  }

  tooManyDead(): boolean {
    return this.#dead.tooMany();
  }

  async reclaim(id: string): Promise<void> {
    const directory = `${this.#parent}/${id}`;
    const [field, file, text] = reclaimed(2);
    try {
      if (!(await this.#dead.mustReclaim(() => fieldIn(`${directory}/memory.stat`, field)))) return;
      await writeFile(`${directory}/${file}`, text);
    } catch {
      // It is gone already, or this is less than the kernel was asked for, as it always is.
    }
  }

  remove(id: string): void {
    removeAll(`${this.#parent}/${id}`);
  }

  removed(): void {}

  roots(): string[] {
    return [dirname(this.#parent)];
  }

  list(): string[] {
    return readdirSync(this.#parent, { withFileTypes: true })
      .filter(entry => entry.isDirectory())
      .map(entry => entry.name);
  }

  close(): void {
    if (existsSync(this.#parent)) rmdirSync(this.#parent);
  }
}

function cpuLimit(directory: string, cpus: number): [file: string, text: string] {
  const { quotaUs, periodUs } = bandwidth(cpus);
  return [`${directory}/cpu.max`, `${quotaUs} ${periodUs}`];
}

/** Since Linux 5.19; fails when less can be given back. */
async function reclaim(directory: string, bytes: number): Promise<void> {
  try {
    await writeFile(`${directory}/memory.reclaim`, String(bytes));
  } catch {
    // What is used afterwards tells.
  }
}

/** Passes controllers down to a directory's children. */
export function enableControllers(directory: string, controllers: readonly string[] = CONTROLLERS): void {
  const missing = controllers.filter(
    name => !readFileSync(`${directory}/cgroup.subtree_control`, 'utf8').split(/\s+/).includes(name),
  );
  if (missing.length > 0) writeFileSync(...passDown(directory, missing));
}

function passDown(directory: string, controllers: readonly string[]): [file: string, text: string] {
  return [`${directory}/cgroup.subtree_control`, controllers.map(name => `+${name}`).join(' ')];
}
