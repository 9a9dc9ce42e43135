import { globSync, readdirSync, readFileSync } from 'node:fs';

/**
 * Memory groups that the kernel still holds after they were removed, on the whole machine: under version 1 all that it counts
 * (cgroups(7)) without those that have a directory, under version 2 what the top of the tree says.
 */
export function deadMemoryGroups(): number {
  const stat = globSync('/sys/fs/cgroup/{,unified/}cgroup.stat')[0];
  const counted = /^memory\t[1-9]\d*\t(\d+)\t1$/m.exec(readFileSync('/proc/cgroups', 'utf8'))?.[1];
  if (counted !== undefined) return Number(counted) - directories('/sys/fs/cgroup/memory');
  return Number(/^nr_dying_descendants (\d+)$/m.exec(readFileSync(stat!, 'utf8'))?.[1]);
}

function directories(path: string): number {
  const below = readdirSync(path, { withFileTypes: true }).filter(entry => entry.isDirectory());
  return below.reduce((sum, { name }) => {
    try {
      return sum + directories(`${path}/${name}`);
    } catch {
      // It went meanwhile.
      return sum;
    }
  }, 1);
}
