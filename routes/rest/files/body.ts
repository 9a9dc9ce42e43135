import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { invalid, ServiceError } from '../../../src/errors.ts';
import { type Coding, decoder } from './codings.ts';

/**
 * Takes a request's body piece by piece, without what it was coded with, and waits for `take` each time. What was not read when it
 * fails is left to Node to drop. `digest`: SHA-256 of the body as it was sent.
 * @throws {ServiceError} it is not coded like this, or has another digest
 */
export async function takeBody(
  request: IncomingMessage,
  { coding, digest }: { coding: Coding | null; digest: Buffer | null },
  take: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const hash = digest && createHash('sha256');
  if (hash) request.on('data', (piece: Buffer) => hash.update(piece));
  const pieces = coding ? decoded(request, coding) : request;
  try {
    for await (const piece of pieces.iterator({ destroyOnReturn: false })) await take(piece);
  } catch (error) {
    throw coding && isBadCoding(error) ? invalid('content-encoding', `the body is not ${coding}`) : error;
  } finally {
    if (coding) {
      request.unpipe();
      pieces.destroy();
    }
    request.resume();
  }
  if (digest && !hash?.digest().equals(digest))
    throw new ServiceError('DIGEST_MISMATCH', 'The body has another digest; nothing was changed');
}

function decoded(request: IncomingMessage, coding: Coding): Readable {
  const pieces = decoder(coding);
  request.once('error', error => pieces.destroy(error));
  return request.pipe(pieces);
}

/** Of zlib's, as its three libraries name their errors. */
function isBadCoding(error: unknown): boolean {
  const { code } = error as { code?: string };
  return /^(?:Z_|ZSTD_|ERR__)/.test(code ?? '');
}
