import { logSocket } from '../../plugins/log-socket.ts';
import { onlyWebSocket } from '../../plugins/websocket-only.ts';
import type { Door } from '../door.ts';
import { serveStatus } from './serve-status.ts';

/** /ws/status: what happens, as notifications on a WebSocket. */
export const status: Door = {
  name: 'status',
  open(app, { service }) {
    app.route({
      ...onlyWebSocket,
      url: '/ws/status',
      wsHandler: (socket, request) => {
        logSocket(socket, request);
        const { owner, log, id, raw } = request;
        serveStatus(socket, service.status, { owner, log, id, stream: raw.socket });
      },
    });
  },
};
