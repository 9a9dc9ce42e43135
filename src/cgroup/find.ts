import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type Cgroups, type GroupParents, mountPoints, ownPaths, readPids } from './cgroup.ts';
import { moveAll } from './move-all.ts';
import { CgroupsV1, CONTROLLERS as V1_CONTROLLERS } from './v1.ts';
import { CgroupsV2, enableControllers, CONTROLLERS as V2_CONTROLLERS } from './v2.ts';

/** No control group can be written here; the message is a sentence. */
export class NoCgroup extends Error {
  readonly remedy: string | null;
  constructor(message: string, remedy: string | null) {
    super(message);
    this.remedy = remedy;
  }
}

/** What an ordinary user can do about it, by version. */
export const CURES = {
  1: 'sudo npm start',
  2: 'systemd-run --user --scope -p Delegate=yes npm start',
} as const;

/** Where systemd passes its users fewer controllers than it could (systemd.resource-control(5), Delegate=). */
export const DELEGATE_ALL =
  "printf '[Service]\\nDelegate=cpu memory pids\\n' | sudo install -D /dev/stdin /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload && sudo systemctl restart user@$(id -u)";

/**
 * The groups of one instance, wherever this machine keeps them: version 2 where it has the controllers, else version
 * 1. As root they lie at the top, as those of container engines do; an ordinary user needs a subtree that was
 * delegated. `root` is the server's, not that of a user namespace. @throws {NoCgroup}
 */
export function findCgroups(instance: string, root: boolean): Cgroups {
  const mounts = mountPoints();
  const own = ownPaths();
  const name = `codebeaker-${instance}`;
  const unified = mounts.get('');
  const version = unified !== undefined && hasControllers(unified) ? 2 : 1;
  try {
    if (version === 1) return versionOne(mounts, own, name, root);
    return versionTwo(unified!, own.get('') ?? '/', name, root);
  } catch (error) {
    if (error instanceof NoCgroup) throw error;
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message;
    throw new NoCgroup(`no control group can be written (${why})`, root ? null : CURES[version]);
  }
}

/** Those that another process has found. @throws when they can't be written */
export function cgroupsAt(parents: GroupParents): Cgroups {
  return parents.version === 1 ? new CgroupsV1(parents) : new CgroupsV2(parents.memory);
}

function hasControllers(top: string): boolean {
  return V2_CONTROLLERS.every(controller => controllersOf(top).includes(controller));
}

function controllersOf(directory: string): string[] {
  return readFileSync(`${directory}/cgroup.controllers`, 'utf8').split(/\s+/);
}

function versionTwo(top: string, ownPath: string, name: string, root: boolean): Cgroups {
  if (root) {
    try {
      enableControllers(top);
      return new CgroupsV2(`${top}/${name}`);
    } catch (error) {
      // The top of a container's own hierarchy holds processes; they make room below.
      if ((error as NodeJS.ErrnoException).code !== 'EBUSY') throw error;
    }
  }
  const own = `${top}${ownPath === '/' ? '' : ownPath}`.replace(/\/codebeaker-service$/, '');
  moveDown(own);
  const withheld = V2_CONTROLLERS.filter(name => !controllersOf(own).includes(name));
  if (withheld.length > 0) {
    throw new NoCgroup(
      `the control group ${withheld.join(', ')} is not delegated to this user`,
      DELEGATE_ALL,
    );
  }
  enableControllers(own);
  return new CgroupsV2(`${own}/${name}`);
}

/** A group passes controllers down only while it holds no process itself: they move into a leaf. */
function moveDown(own: string): void {
  const leaf = `${own}/codebeaker-service`;
  mkdirSync(leaf, { recursive: true });
  moveAll(
    () => readPids(`${own}/cgroup.procs`),
    pid => writeFileSync(`${leaf}/cgroup.procs`, String(pid)),
  );
}

function versionOne(
  mounts: Map<string, string>,
  own: Map<string, string>,
  name: string,
  root: boolean,
): Cgroups {
  const parents = V1_CONTROLLERS.map(controller => {
    const point = mounts.get(controller);
    if (point === undefined) throw new NoCgroup(`the ${controller} control group is not mounted`, null);
    const path = root ? '' : (own.get(controller) ?? '');
    return [controller, `${point}${path === '/' ? '' : path}/${name}`] as const;
  });
  return new CgroupsV1(Object.fromEntries(parents) as Record<(typeof V1_CONTROLLERS)[number], string>);
}
