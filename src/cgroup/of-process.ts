import { existsSync, readFileSync } from 'node:fs';
import { type GroupDirectories, mountPoints, ownPaths } from './cgroup.ts';

/**
 * The control groups that hold a process, as an engine made them; null where they can't be seen from here: the engine
 * runs on another machine, or this process in a container of its own. `name` must occur in their path, so that a number
 * of another machine's process is never taken for one of ours.
 */
export function groupsOfProcess(pid: number, name: string): GroupDirectories | null {
  try {
    const paths = ownPaths(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
    const mounts = mountPoints();
    const directory = (controller: string): string | null => {
      const [point, path] = [mounts.get(controller), paths.get(controller)];
      return point && path?.includes(name) && existsSync(`${point}${path}`) ? `${point}${path}` : null;
    };
    const [memory, pids, cpu, cpuacct] = ['memory', 'pids', 'cpu', 'cpuacct'].map(directory);
    if (memory && pids && cpu && cpuacct) return { version: 1, memory, pids, cpu, cpuacct, procs: [] };
    const one = directory('');
    if (!one) return null;
    return { version: 2, memory: one, pids: one, cpu: one, cpuacct: one, procs: [] };
  } catch {
    return null;
  }
}
