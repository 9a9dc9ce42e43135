import { closeSync, constants, fstatSync, openSync, statfsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

/** Where the agent may be connected to before anything else runs, as it sees it. */
export const DIRECT_PATH = '/tmp/.service';
/** open(2); Node names it nowhere. */
export const O_PATH = 0o10_000_000;
/** statfs(2): TMPFS_MAGIC. */
const TMPFS = 0x0102_1994;

/**
 * Connects to a container's agent (src/agent/direct.h) past the engine, which would carry every piece through two more processes. `pid`: the
 * agent's on this machine; null where it can't be reached, as only root sees the files of another user's process. Nothing else runs in
 * the container yet that could be there in its place. An image is a stranger's: a link in it would be followed on this machine and not in the
 * container, so none is, and the socket must lie on the tmpfs that the container was given.
 */
export function connectDirectly(pid: number): Promise<Socket | null> {
  const held: number[] = [];
  const open = (path: string, flags = 0) => {
    const fd = openSync(path, O_PATH | constants.O_NOFOLLOW | flags);
    held.push(fd);
    return `/proc/self/fd/${fd}`;
  };
  const close = () => {
    for (const fd of held.splice(0)) closeSync(fd);
  };
  try {
    const place = open(`/proc/${pid}/root${dirname(DIRECT_PATH)}`, constants.O_DIRECTORY);
    const path = open(`${place}/${basename(DIRECT_PATH)}`);
    if (statfsSync(place).type === TMPFS && fstatSync(held.at(-1)!).isSocket())
      return connected(path).finally(close);
  } catch {
    // It is not there, or not for us to see.
  }
  close();
  return Promise.resolve(null);
}

function connected(path: string): Promise<Socket | null> {
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('error', () => resolve(null));
    socket.once('connect', () => resolve(socket));
  });
}
