import type { Socket } from 'node:net';
import type { FastifyReply } from 'fastify';

/** A client that neither sends nor takes a byte of a transfer for this long is disconnected, milliseconds. */
const IDLE_MS = 60_000;

const sockets = new WeakSet<Socket>();

/**
 * Lets a request take as long as its bytes move: the limit of the time for a whole one (src/app.ts) would end every large upload over
 * a slow line. Until the exchange is over.
 */
export function takeTime({ request, raw }: FastifyReply): void {
  const { socket } = request.raw;
  sockets.add(socket);
  raw.once('close', () => sockets.delete(socket));
  // Node destroys a socket that is idle for so long, and sets a time of its own when the exchange is over.
  socket.setTimeout(IDLE_MS);
}

/** Whether Node's word that a request takes too long is of one that may. Node says it once. */
export function mayTakeTime(error: NodeJS.ErrnoException, socket: Socket): boolean {
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && sockets.has(socket);
}
