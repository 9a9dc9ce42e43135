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

/** The kernel lets a group go a moment after its last process. */
export async function removeGroup(cgroups: Cgroups, id: string): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  await cgroups.reclaim(id);
  while (performance.now() < until) {
    try {
      return cgroups.remove(id);
    } catch {
      await Bun.sleep(RETRY_MS);
    }
  }
}
