import { notSupported } from '../errors.ts';
import type { RequestContext } from './method.ts';

/**
 * Whether a call streams. Over HTTP nothing could be sent, so asking is refused; for a client that initialized without
 * requesting streaming the feature is off, and the call runs as one without it.
 */
export function wantsStream(stream: boolean | undefined, { connection }: RequestContext): boolean {
  if (!stream) return false;
  if (!connection.live) throw notSupported('stream', 'needs a WebSocket');
  return connection.streaming;
}
