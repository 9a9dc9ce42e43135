import type { FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';

/** A line when it has opened and one when it has closed. What comes over it is logged by its door, at `debug`. */
export function logSocket(socket: WebSocket, { log, ip: address, routeOptions }: FastifyRequest): void {
  const openedAt = performance.now();
  const details = { address, route: routeOptions.url };
  log.info(details, 'WebSocket opened');
  socket.on('close', code => {
    log.info({ ...details, code, lastedMs: Math.round(performance.now() - openedAt) }, 'WebSocket closed');
  });
}
