import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { WebSocket } from 'ws';
import { sendProblem } from '../../plugins/errors.ts';
import { Inflow } from '../../plugins/inflow.ts';
import { problem } from '../../plugins/problem.ts';
import type { Admit } from '../../plugins/rate-limit.ts';
import type { Rpc } from '../../src/rpc/index.ts';
import { serveRpc } from './rpc-socket.ts';

/** Two paths of the same door; some clients use the second. */
const PATHS = ['/ws/jsonrpc', '/ws/control'];

/** Serves the JSON-RPC door on both paths. */
export function jsonRpcOverWebSocket(app: FastifyInstance, rpc: Rpc, admit: Admit | undefined): void {
  const inflow = new Inflow();
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
        logSocket(socket, request);
        serveRpc(socket, rpc, {
          owner: request.owner,
          log: request.log,
          inflow,
          stream: request.raw.socket,
          ...(admit && { admit: () => admit(request) }),
        });
      },
    });
  }
}

/** A line when it has opened and one when it has closed. What comes over it is logged by the dispatcher, at `debug`. */
function logSocket(socket: WebSocket, { log, ip: address }: FastifyRequest): void {
  const openedAt = performance.now();
  log.info({ address }, 'WebSocket opened');
  socket.on('close', code => {
    log.info({ address, code, lastedMs: Math.round(performance.now() - openedAt) }, 'WebSocket closed');
  });
}
