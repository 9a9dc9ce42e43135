import type { FastifyRequest } from 'fastify';
import { logSocket } from '../../plugins/log-socket.ts';
import { onlyWebSocket } from '../../plugins/websocket-only.ts';
import { invalid } from '../../src/errors.ts';
import type { Call } from '../../src/service/call.ts';
import type { DebugConnection, Debugging } from '../../src/service/service.ts';
import type { Door } from '../door.ts';
import { serveDap } from './dap-socket.ts';

/** A session's name, which no ticket looks like. */
const SESSION_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The door for debuggers: the Debug Adapter Protocol, one WebSocket for each adapter (openapi/protocol.md). */
export const dap: Door = {
  name: 'dap',
  open(app, { service, inflow }) {
    const joined = new WeakMap<FastifyRequest, DebugConnection>();
    app.route({
      ...onlyWebSocket,
      url: '/ws/dap/:id',
      config: { ticket: true },
      // Before the upgrade, so that an id that is unknown is answered with 404.
      preHandler: async request => {
        if (!request.ws) return;
        const gone = new AbortController();
        const { socket } = request.raw;
        socket.once('close', () => gone.abort());
        const connection = await join(request, service.debugging, gone.signal);
        joined.set(request, connection);
        // Also where no WebSocket comes of it.
        gone.signal.addEventListener('abort', () => connection.close());
        if (gone.signal.aborted) connection.close();
      },
      wsHandler: (socket, request) => {
        logSocket(socket, request);
        serveDap(socket, request, { connection: joined.get(request)!, inflow });
      },
    });
  },
};

/** By a ticket; or by a session of the caller's, in which an adapter is started for it. */
async function join(
  request: FastifyRequest,
  debugging: Debugging,
  signal: AbortSignal,
): Promise<DebugConnection> {
  const { id: requestId, owner, ip, log } = request;
  const { id } = request.params as { id: string };
  const { language } = request.query as { language?: unknown };
  const call: Call = { id: requestId, owner, client: owner ?? ip, lane: null, signal, log };
  if (!SESSION_ID.test(id)) return debugging.join(id, call);
  if (language !== undefined && typeof language !== 'string') throw invalid('language', 'must be given once');
  const { debugId } = await debugging.start({ sessionId: id, language }, call);
  return debugging.join(debugId, call);
}
