import type { PortFollower } from '../service/service.ts';
import type { ClientConnection } from './method.ts';

/** Of a connection that can be told things, until it closes. */
export function portFollower(connection: ClientConnection): PortFollower | undefined {
  if (!connection.live) return undefined;
  return { tell: event => void connection.notify(event), until: connection.watching };
}
