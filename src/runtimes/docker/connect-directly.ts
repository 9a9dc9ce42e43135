import { lstat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { DIRECT_PATH } from './container-plan.ts';

/**
 * Connects to a container's agent (src/agent/direct.h) past the engine, which would carry every piece through two more processes. `pid`: the
 * agent's on this machine; null where it can't be reached, as only root sees the files of another user's process. Nothing else runs in
 * the container yet that could be there in its place; an image whose directory is a link, which would lead to this machine's files, is
 * left to the engine.
 */
export async function connectDirectly(pid: number): Promise<Socket | null> {
  const path = `/proc/${pid}/root${DIRECT_PATH}`;
  const directory = await lstat(dirname(path)).catch(() => null);
  if (!directory?.isDirectory()) return null;
  return new Promise(resolve => {
    const socket = connect(path);
    socket.once('error', () => resolve(null));
    socket.once('connect', () => resolve(socket));
  });
}
