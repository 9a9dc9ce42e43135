import { sendProblem } from '../../plugins/errors.ts';
import { problem } from '../../plugins/problem.ts';
import type { Door } from '../door.ts';
import { serveStatus } from './serve-status.ts';

/** /ws/status: what happens, as notifications on a WebSocket. */
export const status: Door = {
  name: 'status',
  open(app, { service }) {
    app.route({
      method: 'GET',
      url: '/ws/status',
      exposeHeadRoute: false,
      schema: { hide: true },
      handler: (_, reply) =>
        sendProblem(reply.header('upgrade', 'websocket'), {
          ...problem('VALIDATION_ERROR', 'This path speaks WebSocket'),
          status: 426,
        }),
      wsHandler: (socket, { owner, log, id, raw }) =>
        serveStatus(socket, service.status, { owner, log, id, stream: raw.socket }),
    });
  },
};
