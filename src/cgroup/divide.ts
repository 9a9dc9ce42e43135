import type { GroupDirectories } from './cgroup.ts';
import { enterLeaf, LEAF_CONTROLLERS, leafOf, MAIN, makeLeaf } from './leaves.ts';
import { enableControllers } from './v2.ts';

/** Divides a group that another made and that holds one process, which moves into the first leaf. False where that can't be done. */
export async function divide(group: GroupDirectories, pid: number): Promise<boolean> {
  try {
    await makeLeaf(group, MAIN);
    await enterLeaf(leafOf(group, MAIN), pid);
    if (group.version === 2) enableControllers(group.memory, LEAF_CONTROLLERS);
    return true;
  } catch {
    return false;
  }
}
