import { zygoteArguments } from '../agent/artifact.ts';
import { distinct, type GroupParents, unthrottled } from '../cgroup/cgroup.ts';
import { BASE } from './layout.ts';
import { become } from './libc.ts';

/**
 * Has the zygote (src/agent/zygote.c) take the launcher's place, which has done what there is to do at the start: its namespaces, its
 * standard streams and its number stay, and the server speaks to it from then on. @throws {Error} when it can't
 */
export function becomeZygote(parents: GroupParents): never {
  const files = { sandbox: BASE.sandboxPlan, template: BASE.templatePlan, filter: BASE.filter };
  const groups = { ...unthrottled(parents.version), cpu: parents.cpu, parents: distinct(parents) };
  // Templates are looked up by its PATH.
  become(BASE.agent, [BASE.agent, ...zygoteArguments(files, groups)], ['PATH=/usr/local/bin:/usr/bin:/bin']);
}
