import type { FastifyReply } from 'fastify';
import type { OpenFile } from '../../../src/sandbox.ts';
import { entityTag, lastModified } from '../../downloads/conditions.ts';

/** The answer to an upload that is done. A validator only of what was kept as it came (RFC 9110, 9.3.4). */
export function sendWritten(
  reply: FastifyReply,
  written: OpenFile & { readonly made: boolean },
  asItCame: boolean,
): FastifyReply {
  if (asItCame) reply.headers({ etag: entityTag(written, null), 'last-modified': lastModified(written) });
  return reply.code(written.made ? 201 : 204).send();
}
