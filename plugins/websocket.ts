import './fast-masking.ts';
import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { keepAlive } from './keepalive.ts';

/** Time limit for a client's last request or closing handshake during shutdown, milliseconds. */
const CLOSE_MS = 1000;

/**
 * Accepts WebSockets of every door and keeps them alive. Registered before every other hook: the plugin ends the socket of an upgrade that a
 * later hook refuses, but only for requests that it has seen first.
 */
export async function acceptWebSockets(app: FastifyInstance, maxMessageBytes: number): Promise<void> {
  await app.register(websocket, {
    // No compression: it costs more than it saves on a local network, and every socket would hold its
    // buffers. Messages are told of as they are read, which plugins/spent-reads.ts builds on.
    options: { maxPayload: maxMessageBytes, perMessageDeflate: false, allowSynchronousEvents: true },
    // ws has answered with the right close code already; ending the socket at once would swallow it.
    errorHandler: (error, _, request) => request.log.debug({ err: error }, 'a WebSocket failed'),
    preClose: done => {
      closeAll(app);
      app.websocketServer.close();
      done();
    },
  });
  const life = keepAlive(app.websocketServer.clients);
  app.websocketServer.on('connection', life.watch);
  app.addHook('onClose', async () => life.stop());
}

function closeAll({ server, websocketServer: { clients } }: FastifyInstance): void {
  for (const client of clients) client.close(1001, 'The server is shutting down');
  setTimeout(() => {
    for (const client of clients) client.terminate();
    server.closeAllConnections();
  }, CLOSE_MS).unref();
}
