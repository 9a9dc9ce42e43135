import { zygoteArguments } from '../agent/artifact.ts';
import { distinct, type GroupParents, unthrottled } from '../cgroup/cgroup.ts';
import { reclaimed } from '../cgroup/dead-groups.ts';
import { BASE } from './layout.ts';
import { become } from './libc.ts';

/**
 * Has the zygote (src/agent/zygote.c) take the launcher's place, which has done what there is to do at the start: its namespaces, its
 * standard streams and its number stay, and the server speaks to it from then on. @throws {Error} when it can't
 */
export function becomeZygote(parents: GroupParents): never {
  const files = { sandbox: BASE.sandboxPlan, template: BASE.templatePlan, filter: BASE.filter };
  const { version, cpu, memory } = parents;
  const groups = {
    cpu: [cpu, ...unthrottled(version)],
    memory: [memory, ...reclaimed(version)],
    parents: distinct(parents),
  } as const;
  // Templates are looked up by its PATH.
  become(BASE.agent, [BASE.agent, ...zygoteArguments(files, groups)], ['PATH=/usr/local/bin:/usr/bin:/bin']);
}
