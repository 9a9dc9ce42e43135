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
const { O_DIRECTORY, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Writes the names into a container's /etc/hosts, which an engine leaves empty while the network is disabled. `merged`: where the engine
 * says that it has mounted the container's root, which is read-only inside; `pid`: of the container's first process on this machine. What
 * an engine says is not trusted, nor what an image holds: returns null where that is not the root of that process, and false where a link is
 * on the way, something is in the file, or the process has ended. The file is opened once it is known to be one: of the devices that an image
 * may hold, some do their work for whoever opens them.
 */
export function nameHosts(merged: string | undefined, pid: number): boolean | null {
  if (!merged) return null;
  let refusal: false | null = false;
  const held: number[] = [];
  const open = (path: string, flags: number) => {
    const fd = openSync(path, O_NOFOLLOW | flags);
    held.push(fd);
    return { found: fstatSync(fd), path: `/proc/self/fd/${fd}` };
  };
  try {
    const seen = statSync(`/proc/${pid}/root`);
    refusal = null;
    const root = open(merged, O_PATH | O_DIRECTORY);
    if (root.found.dev !== seen.dev || root.found.ino !== seen.ino) return refusal;
    refusal = false;
    const etc = open(`${root.path}/etc`, O_PATH | O_DIRECTORY);
    const { found, path } = open(`${etc.path}/hosts`, O_PATH);
    if (!found.isFile() || found.size > 0) return refusal;
    const fd = openSync(path, O_WRONLY);
    held.push(fd);
    writeSync(fd, HOSTS);
    return true;
  } catch {
    return refusal;
  } finally {
    for (const fd of held) closeSync(fd);
  }
}
