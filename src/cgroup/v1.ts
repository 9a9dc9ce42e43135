import { existsSync, mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import {
  bandwidth,
  type CgroupLimits,
  type Cgroups,
  distinct,
  type GroupDirectories,
  type GroupParents,
  type GroupPlan,
  groupIn,
  killAll,
  makeGroup,
  readAllPids,
  removeAll,
  SOCKETS_FILE,
  socketLimit,
  unthrottled,
} from './cgroup.ts';
import { countMemoryGroups, DeadGroups, fieldIn, reclaimed } from './dead-groups.ts';
import { leafOf, leafPlan, MAIN } from './leaves.ts';

/** Controllers of version 1 that a sandbox needs. */
export const CONTROLLERS = ['memory', 'pids', 'cpu', 'cpuacct'] as const;
const SWAP_FILE = 'memory.memsw.limit_in_bytes';
type Controller = (typeof CONTROLLERS)[number];
const PERIOD_FILE = 'cpu.cfs_period_us';
/** The period of a new group, microseconds. */
const NEW_PERIOD = '100000';
const NOTHING: GroupPlan = { directories: [], settings: [] };

/** Groups in the separate hierarchies of version 1 (kernel documentation, admin-guide/cgroup-v1). */
export class CgroupsV1 implements Cgroups {
  /** This instance's directory in each hierarchy. */
  readonly parents: GroupParents;
  readonly #distinct: readonly string[];
  readonly #dead: DeadGroups;
  /** How many each group has, of those that have some. */
  readonly #leaves = new Map<string, number>();
  /** What this kernel counts beside, as the files of the instance's own group tell. */
  readonly #has: { readonly swap: boolean; readonly sockets: boolean };

  /** @throws when a hierarchy can't be written */
  constructor(parents: Readonly<Record<Controller, string>>) {
    this.parents = { version: 1, ...parents };
    this.#distinct = distinct(this.parents);
    for (const parent of this.#distinct) mkdirSync(parent, { recursive: true });
    // Groups below it begin with what it has.
    writeFileSync(`${parents.memory}/memory.swappiness`, '0');
    const has = (file: string) => existsSync(`${parents.memory}/${file}`);
    this.#has = { swap: has(SWAP_FILE), sockets: has(SOCKETS_FILE) };
    // A directory's links are its own two and one of each group below it; those that live are not meant.
    this.#dead = new DeadGroups(
      () => countMemoryGroups() - statSync(parents.memory).nlink - this.#leafCount(),
    );
  }

  directories(id: string): GroupDirectories {
    return groupIn(this.parents, id);
  }

  plan(id: string, limits: CgroupLimits, divided = false): GroupPlan {
    const { memory, pids } = this.directories(id);
    const { memoryBytes } = limits;
    const main = divided ? leafPlan(leafOf(this.directories(id), MAIN), this.#has.sockets) : NOTHING;
    return {
      directories: [...this.#distinct.map(parent => `${parent}/${id}`), ...main.directories],
      settings: [
        [`${memory}/memory.limit_in_bytes`, String(memoryBytes)],
        ...(this.#has.swap ? [[`${memory}/${SWAP_FILE}`, String(memoryBytes)] as const] : []),
        [`${pids}/pids.max`, String(limits.processes)],
        // What a new group has by itself costs a write as well, and the scheduler's are not cheap ones.
        ...this.#rest(id, limits).filter(
          ([file, text]) => text !== NEW_PERIOD || !file.endsWith(PERIOD_FILE),
        ),
        ...main.settings,
      ],
    };
  }

  create(id: string, limits: CgroupLimits, divided = false): void {
    makeGroup(this.plan(id, limits, divided));
  }

  leafMade(id: string): void {
    this.#leaves.set(id, (this.#leaves.get(id) ?? 0) + 1);
  }

  #leafCount(): number {
    return [...this.#leaves.values()].reduce((sum, count) => sum + count, 0);
  }

  async limitMemory(id: string, bytes: number): Promise<boolean> {
    const { memory } = this.directories(id);
    const files = ['memory.limit_in_bytes', ...(this.#has.swap ? [SWAP_FILE] : [])].map(
      name => `${memory}/${name}`,
    );
    // Memory alone may never be above memory and swap together.
    if (bytes > Number(await readFile(files[0]!, 'utf8'))) files.reverse();
    try {
      for (const file of files) await writeFile(file, String(bytes));
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EBUSY') return false;
      throw error;
    }
  }

  async resize(id: string, limits: { memoryBytes: number; cpus: number }): Promise<boolean> {
    if (!(await this.limitMemory(id, limits.memoryBytes))) return false;
    for (const [file, text] of this.#rest(id, limits)) await writeFile(file, text);
    return true;
  }

  #rest(id: string, limits: { memoryBytes: number; cpus: number }): GroupPlan['settings'] {
    const { memory, cpu } = this.directories(id);
    const { quotaUs, periodUs } = bandwidth(limits.cpus);
    return [
      ...(this.#has.sockets ? [socketLimit(memory, limits.memoryBytes)] : []),
      [`${cpu}/${PERIOD_FILE}`, String(periodUs)],
      [`${cpu}/cpu.cfs_quota_us`, String(quotaUs)],
    ];
  }

  kill(id: string): void {
    const [file, text] = unthrottled(1);
    writeFileSync(`${this.parents.cpu}/${id}/${file}`, text);
    writeFileSync(`${this.parents.pids}/${id}/pids.max`, '0');
    killAll(readAllPids(`${this.parents.pids}/${id}`));
  }

  empty(id: string): boolean {
    return this.#distinct.every(parent => readAllPids(`${parent}/${id}`).length === 0);
  }

  tooManyDead(): boolean {
    return this.#dead.tooMany();
  }

  async reclaim(id: string): Promise<void> {
    const { memory } = this.directories(id);
    const [field, file, text] = reclaimed(1);
    try {
      if (!(await this.#dead.mustReclaim(() => fieldIn(`${memory}/memory.stat`, field)))) return;
      await writeFile(`${memory}/${file}`, text);
    } catch {
      // It is gone already, or not empty yet.
    }
  }

  remove(id: string): void {
    for (const parent of this.#distinct) removeAll(`${parent}/${id}`);
    this.removed(id);
  }

  removed(id: string): void {
    this.#leaves.delete(id);
  }

  roots(): string[] {
    return this.#distinct.map(parent => dirname(parent));
  }

  list(): string[] {
    const found = new Set<string>();
    for (const parent of this.#distinct) {
      for (const entry of readdirSync(parent, { withFileTypes: true }))
        if (entry.isDirectory()) found.add(entry.name);
    }
    // One that is only half there is made whole, so that it can be killed and removed like any other.
    for (const id of found)
      for (const parent of this.#distinct) mkdirSync(`${parent}/${id}`, { recursive: true });
    return [...found];
  }

  close(): void {
    for (const parent of this.#distinct) if (existsSync(parent)) rmdirSync(parent);
  }
}
