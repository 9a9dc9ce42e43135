import type { FastifyInstance } from 'fastify';
import type { Inflow } from '../../plugins/inflow.ts';
import { logSocket } from '../../plugins/log-socket.ts';
import type { Admit } from '../../plugins/rate-limit.ts';
import { onlyWebSocket } from '../../plugins/websocket-only.ts';
import type { Rpc } from '../../src/rpc/index.ts';
import { serveRpc } from './rpc-socket.ts';

/** Two paths of the same door; some clients use the second. */
const PATHS = ['/ws/jsonrpc', '/ws/control'];

/** Serves the JSON-RPC door on both paths. */
export function jsonRpcOverWebSocket(
  app: FastifyInstance,
  rpc: Rpc,
  { admit, inflow }: { admit: Admit | undefined; inflow: Inflow },
): void {
  for (const url of PATHS) {
    app.route({
      ...onlyWebSocket,
      url,
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
