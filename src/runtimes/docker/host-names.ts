import { closeSync, constants, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { O_PATH } from './connect-directly.ts';

/** Why names are not written here. */
type Refusal = 'engine' | 'image';

/** As an engine takes it: `localhost` it knows by itself. */
export const OWN_NAME = 'sandbox:127.0.1.1';
/**
 * The same here, and `localhost` too. Not ::1, which an image's C library may name first (`multi` of host.conf(5)): whoever listens on
 * `localhost` is to be found at 127.0.0.1, as in sandboxes that no engine makes.
 */
const HOSTS = '127.0.0.1 localhost\n127.0.1.1 sandbox\n';
const { O_DIRECTORY, O_NOFOLLOW, O_WRONLY } = constants;

/** Where containers have the names of the machine itself from, which changes for an engine, or an image, with the first that can't be given them here. */
export class HostNames {
  readonly #images = new Set<string>();
  #always = false;

  /** The engine writes them, which makes every start half as slow again. Else {@link nameHosts} does, where the engine runs on this machine. */
  fromEngine(image: string): boolean {
    return this.#always || this.#images.has(image);
  }

  /** The next ones are made by an engine that knows; what an image holds slows nobody else down. */
  refused(why: Refusal, image: string): void {
    if (why === 'image') this.#images.add(image);
    else this.#always = true;
  }
}

/**
 * Writes the names into a container's /etc/hosts, which an engine leaves empty while the network is disabled. `merged`: where the engine
 * says that it has mounted the container's root, which is read-only inside; `pid`: of the container's first process on this machine. What
 * an engine says is not trusted, nor what an image holds: nothing is written where that is not the root of that process, where a link is on
 * the way, or where something is in the file. It is opened once it is known to be one: of the devices that an image may hold, some do their
 * work for whoever opens them. Returns null where the names are written, else by whom they can't be.
 */
export function nameHosts(merged: string | undefined, pid: number): Refusal | null {
  if (!merged) return 'engine';
  const held: number[] = [];
  const open = (path: string, flags: number) => {
    const fd = openSync(path, O_NOFOLLOW | flags);
    held.push(fd);
    return { found: fstatSync(fd), path: `/proc/self/fd/${fd}` };
  };
  let refusal: Refusal = 'image';
  try {
    // It may have ended.
    const seen = statSync(`/proc/${pid}/root`);
    refusal = 'engine';
    const root = open(merged, O_PATH | O_DIRECTORY);
    if (root.found.dev !== seen.dev || root.found.ino !== seen.ino) return refusal;
    refusal = 'image';
    const etc = open(`${root.path}/etc`, O_PATH | O_DIRECTORY);
    const { found, path } = open(`${etc.path}/hosts`, O_PATH);
    if (!found.isFile() || found.size > 0) return refusal;
    const fd = openSync(path, O_WRONLY);
    held.push(fd);
    writeSync(fd, HOSTS);
    return null;
  } catch {
    return refusal;
  } finally {
    for (const fd of held) closeSync(fd);
  }
}
