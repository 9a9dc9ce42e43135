import { logSocket } from '../../plugins/log-socket.ts';
import { onlyWebSocket } from '../../plugins/websocket-only.ts';
import type { Door } from '../door.ts';
import { serveData } from './data-socket.ts';
import { Held } from './held.ts';

/** Most bytes of frames that no sandbox has taken yet, of all connections; beyond that those that hold some are not read. */
const MOST_HELD_BYTES = 256 * 1024 * 1024;

/** The door for files of any size over WebSocket: control as JSON, bytes as binary messages (openapi/protocol.md). */
export const data: Door = {
  name: 'data',
  open(app, { service, admit, inflow }) {
    const held = new Held(MOST_HELD_BYTES);
    app.route({
      ...onlyWebSocket,
      url: '/ws/data',
      wsHandler: (socket, request) => {
        logSocket(socket, request);
        const { transfers } = service;
        serveData(socket, request, { transfers, inflow, held, admit: () => admit?.(request) });
      },
    });
  },
};
