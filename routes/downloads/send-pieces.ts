import type { OutgoingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import { turn } from '../../src/wire/turns.ts';

/**
 * Answers with pieces whose memory is used again once the next is asked for: each is out before that. Where the first can't be had,
 * nothing has been sent; a later one that can't cuts the connection, as the client was promised all of it.
 */
export async function sendPieces(
  reply: FastifyReply,
  pieces: AsyncIterable<Uint8Array>,
): Promise<FastifyReply> {
  const iterator = pieces[Symbol.asyncIterator]();
  let next = await iterator.next();
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>);
  try {
    for (; !next.done; next = await iterator.next()) {
      await turn();
      await sent(raw, next.value);
    }
    raw.end();
  } catch {
    raw.destroy();
    await iterator.return?.();
  }
  return reply;
}

function sent(raw: OutgoingMessage, piece: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => raw.write(piece, error => (error ? reject(error) : resolve())));
}
