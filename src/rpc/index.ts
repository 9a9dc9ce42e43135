import type { Logger } from 'pino';
import type { Service } from '../service/service.ts';
import { AnswerRoom } from './answer-room.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Dispatcher, type Observe } from './dispatcher.ts';
import { methods } from './methods/index.ts';
import { describeRpc } from './openrpc.ts';

/**
 * JSON-RPC 2.0 without a socket: envelopes, batches, order, notifications and errors. It translates and never
 * decides; the service does. One {@link Connection} per client; `plugins/` gives it a socket or an HTTP request.
 * Imports: services' interface, commands (for their shapes), schemas, errors.
 */
export interface Rpc {
  connect(options: ConnectionOptions): Connection;
}

export function createRpc(options: { service: Service; log: Logger; observe?: Observe }): Rpc {
  const dispatcher = new Dispatcher({ ...options, methods, describe: describeRpc });
  const room = new AnswerRoom();
  return { connect: connection => new Connection(dispatcher, connection, room) };
}
