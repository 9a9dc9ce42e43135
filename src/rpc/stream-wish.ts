import { notSupported } from '../errors.ts';
import type { RequestContext } from './method.ts';

/**
 * Whether a call streams. Refused over HTTP, where nothing can be sent. Ignored for a client whose
 * `initialize` did not request streaming.
 */
export function wantsStream(stream: boolean | undefined, { connection }: RequestContext): boolean {
  if (!stream) return false;
  if (!connection.live) throw notSupported('stream', 'needs a WebSocket');
  return connection.features.has('Streaming');
}
