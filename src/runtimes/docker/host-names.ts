import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { O_PATH } from './connect-directly.ts';

/** Where containers have the names of the machine itself from, which change with the first that can't be given them here. */
export interface HostNames {
  /** The engine writes them, which makes every start half as slow again. Else {@link nameHosts} does, where the engine runs on this machine. */
  fromEngine: boolean;
}

/** As an engine takes it: `localhost` it knows by itself. */
export const OWN_NAME = 'sandbox:127.0.1.1';
/**
 * The same here, and `localhost` too. Not ::1, which an image's C library may name first (`multi` of host.conf(5)): whoever listens on
 * `localhost` is to be found at 127.0.0.1, as in sandboxes that no engine makes.
 */
const HOSTS = '127.0.0.1 localhost\n127.0.1.1 sandbox\n';
const { O_DIRECTORY, O_NOFOLLOW, O_WRONLY, O_NONBLOCK } = constants;

/**
 * Writes the names into a container's /etc/hosts, which an engine leaves empty while the network is disabled. `merged`: where the engine
 * says that it has mounted the container's root, which is read-only inside; `pid`: of the container's first process on this machine. What
 * an engine says is not trusted, nor what an image holds: returns false where that is not the root of that process, where a link is on the
 * way, or where something is in the file.
 */
export function nameHosts(merged: string | undefined, pid: number): boolean {
  if (!merged) return false;
  const held: number[] = [];
  const open = (path: string, flags: number) => {
    const fd = openSync(path, O_NOFOLLOW | flags);
    held.push(fd);
    return { found: fstatSync(fd), path: `/proc/self/fd/${fd}`, fd };
  };
  try {
    const root = open(merged, O_PATH | O_DIRECTORY);
    const seen = statSync(`/proc/${pid}/root`);
    if (root.found.dev !== seen.dev || root.found.ino !== seen.ino) return false;
    const etc = open(`${root.path}/etc`, O_PATH | O_DIRECTORY);
    const { found, fd } = open(`${etc.path}/hosts`, O_WRONLY | O_NONBLOCK);
    if (!found.isFile() || found.size > 0) return false;
    writeSync(fd, HOSTS);
    return true;
  } catch {
    return false;
  } finally {
    for (const fd of held) closeSync(fd);
  }
}
