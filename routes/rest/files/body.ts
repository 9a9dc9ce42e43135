import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from '../../../src/errors.ts';
import { release } from '../../../src/wire/release.ts';
import { turn } from '../../../src/wire/turns.ts';

/**
 * Takes a request's body piece by piece, and waits for `take` each time, after which the piece is empty. What was not read when it fails is left to Node to drop.
 * `digest`: SHA-256 of it. @throws {ServiceError} it has another digest
 */
export async function takeBody(
  request: IncomingMessage,
  digest: Buffer | null,
  take: (piece: Buffer) => Promise<void>,
): Promise<void> {
  const hash = digest && createHash('sha256');
  try {
    for await (const piece of request.iterator({ destroyOnReturn: false })) {
      await turn();
      hash?.update(piece);
      await take(piece);
      release(piece);
    }
  } finally {
    request.resume();
  }
  if (digest && !hash?.digest().equals(digest))
    throw new ServiceError('DIGEST_MISMATCH', 'The body has another digest; nothing was changed');
}
