import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { O_PATH } from './connect-directly.ts';

/**
 * Where containers have the names of the machine itself from. {@link nameHosts} writes them where it can; else the engine does, which makes
 * every start half as slow again.
 */
export class HostNames {
  #reachable = true;
  /** Those in which there is no such file. */
  readonly #unfit = new Set<string>();

  fromEngine(image: string): boolean {
    return !this.#reachable || this.#unfit.has(image);
  }

  /** Names a container that was made without names. False where that can't be done: the next one of its image has them from the engine. */
  give(image: string, merged: string | undefined, pid: number | null): boolean {
    const given = pid === null ? null : nameHosts(merged, pid);
    if (given === null) this.#reachable = false;
    if (given === false) this.#unfit.add(image);
    return given === true;
  }
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
 * an engine says is not trusted, nor what an image holds: returns null where that is not the root of that process, and false where a link is
 * on the way, or something is in the file.
 */
export function nameHosts(merged: string | undefined, pid: number): boolean | null {
  if (!merged) return null;
  let isThere = false;
  const held: number[] = [];
  const open = (path: string, flags: number) => {
    const fd = openSync(path, O_NOFOLLOW | flags);
    held.push(fd);
    return { found: fstatSync(fd), path: `/proc/self/fd/${fd}`, fd };
  };
  try {
    const root = open(merged, O_PATH | O_DIRECTORY);
    const seen = statSync(`/proc/${pid}/root`);
    if (root.found.dev !== seen.dev || root.found.ino !== seen.ino) return null;
    isThere = true;
    const etc = open(`${root.path}/etc`, O_PATH | O_DIRECTORY);
    const { found, fd } = open(`${etc.path}/hosts`, O_WRONLY | O_NONBLOCK);
    if (!found.isFile() || found.size > 0) return false;
    writeSync(fd, HOSTS);
    return true;
  } catch {
    return isThere ? false : null;
  } finally {
    for (const fd of held) closeSync(fd);
  }
}
