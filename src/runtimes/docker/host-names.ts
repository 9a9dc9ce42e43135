import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { HOSTS } from '../../launcher/etc.ts';

/** Where containers have the names of the machine itself from, which change with the first that can't be given them here. */
export interface HostNames {
  /** The engine writes them, which makes every start slower. Else {@link nameHosts} does, where the engine runs on this machine. */
  fromEngine: boolean;
}

/** As an engine takes it: `localhost` it knows by itself. */
export const OWN_NAME = 'sandbox:127.0.1.1';
const { O_NOFOLLOW, O_WRONLY, O_NONBLOCK } = constants;

/**
 * Writes the names into the file that an engine lays over a container's /etc/hosts, which it leaves empty while the network is
 * disabled. Returns false where the file can't be reached, or is not such a file: what an engine says is not trusted.
 */
export function nameHosts(path: string | undefined, containerId: string): boolean {
  if (!path?.endsWith(`/${containerId}/hosts`)) return false;
  let fd: number | undefined;
  try {
    fd = openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    const found = fstatSync(fd);
    if (!found.isFile() || found.size > 0) return false;
    writeSync(fd, HOSTS);
    return true;
  } catch {
    return false;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
