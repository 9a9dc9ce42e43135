import type { Door } from '../door.ts';
import { jsonRpcOverHttp } from './http.ts';
import { jsonRpcOverWebSocket } from './websocket.ts';

/** The JSON-RPC 2.0 door, on sockets and over HTTP. The protocol itself is src/rpc/. */
export const jsonRpc: Door = {
  name: 'jsonrpc',
  open(app, { rpc, admit, inflow }) {
    jsonRpcOverHttp(app, rpc, admit);
    jsonRpcOverWebSocket(app, rpc, { admit, inflow });
  },
};
