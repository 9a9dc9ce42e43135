import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';

/**
 * Control groups, version 1 and 2 behind one interface: what makes sandboxes makes, fills and removes them, the service
 * reads them. This folder knows files under /sys/fs/cgroup and nothing of sandboxes.
 */

export interface CgroupLimits {
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly processes: number;
}

/** Groups of one server instance. */
export interface Cgroups {
  /** The instance's own directory, by controller; all the same under version 2. */
  readonly parents: GroupParents;
  /** The directories of a group; see {@link groupIn}. */
  directories(id: string): GroupDirectories;
  /** What makes a limited, empty group, for whoever is to make it. `divided`: with the first leaf (leaves.ts). */
  plan(id: string, limits: CgroupLimits, divided?: boolean): GroupPlan;
  /** Makes one. @throws when it can't; nothing is left then */
  create(id: string, limits: CgroupLimits, divided?: boolean): void;
  /** A leaf of a group was made, the first one too, which is removed with it. */
  leafMade(id: string): void;
  /** Changes the memory limit; false when more than that is used already. */
  limitMemory(id: string, bytes: number): Promise<boolean>;
  /** Gives a group other limits; false when more memory than that is used already. */
  resize(id: string, limits: { memoryBytes: number; cpus: number }): Promise<boolean>;
  /** Kills all that is in a group, now, and lets it run unhindered to its end. What forks meanwhile needs another call. */
  kill(id: string): void;
  /** True when nothing lives in it. */
  empty(id: string): boolean;
  /** Whether so many removed groups live on that the next ones must give back what their programs have read of files. */
  tooManyDead(): boolean;
  /** Has a group do that where it must. Never rejects. */
  reclaim(id: string): Promise<void>;
  /** @throws while something is still in it */
  remove(id: string): void;
  /** Another has removed it. */
  removed(id: string): void;
  /** The machine's directories under which all groups of this instance lie. */
  roots(): string[];
  /** Groups of this instance that exist, also those an earlier server left. */
  list(): string[];
  /** Removes the instance's own directory. */
  close(): void;
}

/** Directories to make and what to write to files, in this order. */
export interface GroupPlan {
  readonly directories: readonly string[];
  readonly settings: readonly (readonly [file: string, text: string])[];
}

export interface GroupDirectories {
  readonly version: 1 | 2;
  readonly memory: string;
  readonly pids: string;
  readonly cpu: string;
  readonly cpuacct: string;
  /** Writing `0` to each moves the writer into the group, a process of one thread. */
  readonly procs: readonly string[];
}

export type GroupParents = Omit<GroupDirectories, 'procs'>;

/** What takes its share of the CPU off a group that is about to end, with a small one of which it would take long to die. */
export const unthrottled = (version: 1 | 2) =>
  version === 1 ? (['cpu.cfs_quota_us', '-1'] as const) : (['cpu.max', 'max'] as const);

/** The directories of these, each once. */
export const distinct = ({ memory, pids, cpu, cpuacct }: GroupParents) => [
  ...new Set([memory, pids, cpu, cpuacct]),
];

/**
 * The file by which a process of one thread enters a group. Under version 1 that of threads: for one that moves itself the kernel does not
 * first wait until all processors have passed by, some ten milliseconds.
 */
export const entranceOf = (version: 1 | 2) => (version === 1 ? 'tasks' : 'cgroup.procs');

/** The directories of a group of that name below these. */
export function groupIn({ version, memory, pids, cpu, cpuacct }: GroupParents, id: string): GroupDirectories {
  return {
    version,
    memory: `${memory}/${id}`,
    pids: `${pids}/${id}`,
    cpu: `${cpu}/${id}`,
    cpuacct: `${cpuacct}/${id}`,
    procs: distinct({ version, memory, pids, cpu, cpuacct }).map(
      parent => `${parent}/${id}/${entranceOf(version)}`,
    ),
  };
}

/** The least that a group can be given in a period. */
const LEAST_QUOTA_US = 1000;
const USUAL_PERIOD_US = 100_000;
/** The longest there is: what has used up its share waits until it is over. */
const LONGEST_PERIOD_US = 1_000_000;

/** CPU time that a group may have in every period, microseconds. */
export function bandwidth(cpus: number): { quotaUs: number; periodUs: number } {
  const periodUs = cpus * USUAL_PERIOD_US < LEAST_QUOTA_US ? LONGEST_PERIOD_US : USUAL_PERIOD_US;
  return { quotaUs: Math.max(LEAST_QUOTA_US, Math.round(cpus * periodUs)), periodUs };
}

/** How many processes and threads a group may hold; one that holds more gets no new ones. */
export function limitProcesses(directories: GroupDirectories, max: number): void {
  writeFileSync(`${directories.pids}/pids.max`, String(max));
}

export const SOCKETS_FILE = 'memory.kmem.tcp.limit_in_bytes';
/** One part in so many of the memory limit, on top of it, may lie unread in sockets. */
const SOCKETS_SHARE = 8;

/** What sockets hold is counted apart under version 1, and only once it has a limit: without one it is the host's to bear. */
export function socketLimit(memory: string, memoryBytes: number): [file: string, text: string] {
  return [`${memory}/${SOCKETS_FILE}`, String(Math.floor(memoryBytes / SOCKETS_SHARE))];
}

export function limitSockets({ version, memory }: GroupDirectories, memoryBytes: number): void {
  const [file, text] = socketLimit(memory, memoryBytes);
  if (version === 1 && existsSync(file)) writeFileSync(file, text);
}

/** @throws when it can't be made; nothing is left then */
export function makeGroup({ directories, settings }: GroupPlan): void {
  const made: string[] = [];
  try {
    for (const directory of directories) {
      mkdirSync(directory);
      made.push(directory);
    }
    for (const [file, text] of settings) writeFileSync(file, text);
  } catch (error) {
    for (const directory of made) rmdirSync(directory);
    throw error;
  }
}

/** Where this process stands: its path per controller, from /proc/self/cgroup (cgroups(7)). */
export function ownPaths(text = readFileSync('/proc/self/cgroup', 'utf8')): Map<string, string> {
  const paths = new Map<string, string>();
  for (const line of text.trim().split('\n')) {
    const [, controllers = '', ...path] = line.split(':');
    for (const controller of controllers.split(',')) paths.set(controller, path.join(':'));
  }
  return paths;
}

/** Where hierarchies are mounted: `''` for version 2, else by controller; from /proc/self/mountinfo (proc(5)). */
export function mountPoints(text = readFileSync('/proc/self/mountinfo', 'utf8')): Map<string, string> {
  const mounts = new Map<string, string>();
  for (const line of text.trim().split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , options = ''] = after.split(' ');
    const point = before.split(' ')[4] ?? '';
    if (type === 'cgroup2') mounts.set('', point);
    if (type === 'cgroup') for (const option of options.split(',')) mounts.set(option, point);
  }
  return mounts;
}

export function readPids(file: string): number[] {
  return pidsIn(readFileSync(file, 'utf8'));
}

export const pidsIn = (text: string) => text.split('\n').filter(Boolean).map(Number);

/** The processes of a group and of its leaves. */
export function readAllPids(directory: string): number[] {
  return [directory, ...below(directory)].flatMap(group => readPids(`${group}/cgroup.procs`));
}

/** Removes a group and its leaves. @throws while something is in them */
export function removeAll(directory: string): void {
  if (removed(directory)) return;
  for (const leaf of below(directory)) rmdirSync(leaf);
  rmdirSync(directory);
}

/** False where something is in it. */
function removed(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Directories of the groups in a group, which has two links besides those of theirs. */
function below(directory: string): string[] {
  if (statSync(directory).nlink === 2) return [];
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries.filter(entry => entry.isDirectory()).map(({ name }) => `${directory}/${name}`);
}

export function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It was gone already.
    }
  }
}
