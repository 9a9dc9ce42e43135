import { execFileSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { mountPoints, ownPaths } from '../../cgroup/cgroup.ts';
import { CURES, DELEGATE_ALL } from '../../cgroup/find.ts';
import { CONTROLLERS as V1_CONTROLLERS } from '../../cgroup/v1.ts';
import { CONTROLLERS as V2_CONTROLLERS } from '../../cgroup/v2.ts';
import { remedyFor } from '../../runtimes/local/remedies.ts';
import { type Finding, found, missing } from './finding.ts';

const CALL_MS = 10_000;
const NAME = 'control groups';

/** What the kernel must have, and let this user do. It is looked at and not changed. */
export function kernel(): Finding[] {
  if (process.platform !== 'linux') {
    const cure = 'a machine with Linux, such as a virtual one';
    return [missing('Linux', { detail: `this is ${process.platform}`, needed: true, cure })];
  }
  return [controlGroups(process.getuid?.() === 0), namespaces()];
}

function controlGroups(root: boolean): Finding {
  const mounts = mountPoints();
  const own = ownPaths();
  const unified = mounts.get('');
  if (unified !== undefined && lacking(unified).length === 0)
    return versionTwo(root ? unified : `${unified}${own.get('') ?? ''}`, root);
  const unmounted = V1_CONTROLLERS.filter(name => !mounts.has(name));
  if (unmounted.length > 0)
    return missing(NAME, { detail: `${unmounted.join(', ')} not mounted`, needed: true, cure: null });
  const closed = V1_CONTROLLERS.filter(
    name => !isOpen(`${mounts.get(name)}${root ? '' : (own.get(name) ?? '')}`),
  );
  if (closed.length === 0) return found(NAME, 'version 1');
  return missing(NAME, {
    detail: `${closed.join(', ')} of version 1 can't be written`,
    needed: true,
    cure: CURES[1],
  });
}

function versionTwo(group: string, root: boolean): Finding {
  const withheld = lacking(group);
  if (withheld.length > 0)
    return missing(NAME, {
      detail: `${withheld.join(', ')} not delegated to this user`,
      needed: true,
      cure: DELEGATE_ALL,
    });
  if (isOpen(group)) return found(NAME, 'version 2');
  const cure = root ? null : CURES[2];
  return missing(NAME, { detail: `${group} can't be written`, needed: true, cure });
}

/** Controllers of version 2 that are not in a group. */
function lacking(group: string): string[] {
  let has: string[] = [];
  try {
    has = readFileSync(`${group}/cgroup.controllers`, 'utf8').split(/\s+/);
  } catch {
    // There are none.
  }
  return V2_CONTROLLERS.filter(name => !has.includes(name));
}

function isOpen(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Whether this user may make them is known best by making some. */
function namespaces(): Finding {
  const args = ['--user', '--map-root-user', '--mount', '--pid', '--fork', '--net', 'true'];
  try {
    execFileSync('unshare', args, { timeout: CALL_MS, stdio: ['ignore', 'ignore', 'pipe'] });
    return found('namespaces', 'can be made');
  } catch (error) {
    const { stderr = '', message } = error as Error & { stderr?: Buffer | string };
    const detail = `${stderr}`.trim() || message;
    return missing('namespaces', { detail, needed: process.getuid?.() !== 0, cure: remedyFor(detail) });
  }
}
