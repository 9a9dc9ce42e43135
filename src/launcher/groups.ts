import type { Cgroups } from '../cgroup/cgroup.ts';

const RETRY_MS = 2;
/** What a killed group may take to be empty. */
const PATIENCE_MS = 10_000;

/** Kills all that is in a control group; resolves when it is empty, or has not become so in time. */
export async function killGroup(cgroups: Cgroups, id: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  while (!isEmpty(cgroups, id) && performance.now() < until) {
    try {
      cgroups.kill(id);
    } catch {
      // Somebody else has taken it away; the next look tells.
    }
    await Bun.sleep(RETRY_MS);
  }
}

function isEmpty(cgroups: Cgroups, id: string): boolean {
  try {
    return cgroups.empty(id);
  } catch {
    return true;
  }
}

/** Removes a group; the kernel lets it go a moment after its last process. Resolves to false when it did not in time. */
export async function removeGroup(cgroups: Cgroups, id: string, patienceMs = PATIENCE_MS): Promise<boolean> {
  const until = performance.now() + patienceMs;
  await cgroups.reclaim(id);
  while (performance.now() < until) {
    try {
      cgroups.remove(id);
      return true;
    } catch {
      await Bun.sleep(RETRY_MS);
    }
  }
  return false;
}
