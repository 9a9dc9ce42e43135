import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { FastifyReply } from 'fastify';
import type { Outflow } from './outflow.ts';

/** A client that takes nothing of a stream for this long is disconnected, milliseconds. Comments come more often than that. */
const STALLED_MS = 60_000;

/** Sends what the protocol's library answers: at once, or as it comes. */
export async function answer(
  { status, headers, body }: Response,
  reply: FastifyReply,
  outflow: Outflow,
): Promise<FastifyReply> {
  reply.code(status);
  for (const [name, value] of headers) if (name !== 'connection') reply.header(name, value);
  if (body === null) return reply.send();
  const chunks = body as ReadableStream<Uint8Array>;
  if (!headers.get('content-type')?.startsWith('text/event-stream'))
    return reply.send(Buffer.concat(await Array.fromAsync(chunks)));
  reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
  return reply.send(Readable.from(counted(chunks, outflow), { objectMode: false }));
}

async function* counted(chunks: ReadableStream<Uint8Array>, outflow: Outflow): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk;
    outflow.taken(chunk.byteLength);
  }
}
