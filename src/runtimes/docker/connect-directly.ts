import { connect, type Socket } from 'node:net';
import { DIRECT_PATH } from './container-plan.ts';

/**
 * Connects to a container's agent (src/agent/direct.h) past the engine, which would carry every piece through two more processes. `pid`: the
 * agent's on this machine; null where it can't be reached, as only root sees the files of another user's process. Nothing else runs in
 * the container yet that could be there in its place.
 */
export function connectDirectly(pid: number): Promise<Socket | null> {
  return new Promise(resolve => {
    const socket = connect(`/proc/${pid}/root${DIRECT_PATH}`);
    socket.once('error', () => resolve(null));
    socket.once('connect', () => resolve(socket));
  });
}
