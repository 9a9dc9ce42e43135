import websocket from '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import type { Rpc } from '../src/rpc/index.ts';
import { sendProblem } from './errors.ts';
import { Inflow } from './inflow.ts';
import { keepAlive } from './keepalive.ts';
import { problem } from './problem.ts';
import type { Admit } from './rate-limit.ts';
import { serveRpc } from './rpc-socket.ts';

/** The same door; some clients know it by its second name. */
const PATHS = ['/ws/jsonrpc', '/ws/control'];
/** How long a client may take over its last request or its closing handshake while the server shuts down. */
const CLOSE_MS = 1000;

/**
 * Lets sockets in. Before every other hook: it is this plugin that ends the socket of an upgrade which one of them
 * refuses, and it does so only for requests it has seen first.
 */
export async function acceptWebSockets(app: FastifyInstance, maxMessageBytes: number): Promise<void> {
  await app.register(websocket, {
    // Compressing costs more than it saves on a machine's own network, and its buffers stay with every socket.
    options: { maxPayload: maxMessageBytes, perMessageDeflate: false },
    // ws has answered with the right close code already; ending the socket at once would swallow it.
    errorHandler: (error, _, request) => request.log.debug({ err: error }, 'a WebSocket failed'),
    preClose: done => {
      closeAll(app);
      app.websocketServer.close();
      done();
    },
  });
}

/** Joins the sockets of both paths to the JSON-RPC door. */
export function serveWebSockets(app: FastifyInstance, rpc: Rpc, admit: Admit | undefined): void {
  const inflow = new Inflow();
  const life = keepAlive(app.websocketServer.clients);
  app.addHook('onClose', async () => life.stop());
  for (const url of PATHS) {
    app.route({
      method: 'GET',
      url,
      exposeHeadRoute: false,
      schema: { hide: true },
      handler: (_, reply) =>
        sendProblem(reply.header('upgrade', 'websocket'), {
          ...problem('VALIDATION_ERROR', 'This path speaks WebSocket'),
          status: 426,
        }),
      wsHandler: (socket, request) => {
        life.watch(socket);
        serveRpc(socket, rpc, {
          owner: request.owner,
          inflow,
          stream: request.raw.socket,
          failed: err => request.log.error({ err }, 'a JSON-RPC connection failed'),
          ...(admit && { admit: () => admit(request) }),
        });
      },
    });
  }
}

function closeAll({ server, websocketServer: { clients } }: FastifyInstance): void {
  for (const client of clients) client.close(1001, 'The server is shutting down');
  setTimeout(() => {
    for (const client of clients) client.terminate();
    server.closeAllConnections();
  }, CLOSE_MS).unref();
}
