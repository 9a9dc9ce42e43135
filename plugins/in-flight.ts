import { pipeline, Transform } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ServiceError } from '../src/errors.ts';

/** What is no larger than this is not counted. */
const SMALL_BYTES = 1024 * 1024;
/** What all larger bodies and answers on their way may take together. */
const MOST_BYTES = 512 * 1024 * 1024;
/** A client that takes nothing of a large answer for so long is not waited for. */
const STALLED_MS = 60_000;

/** Bounds what clients that send or read slowly, or not at all, can make the service hold for them. */
export function boundInFlight(app: FastifyInstance): void {
  let bytes = 0;
  /** Counts what one exchange holds, until it is over. What it returns throws {ServiceError} QUEUE_FULL. */
  const holding = (reply: FastifyReply) => {
    let held = 0;
    reply.raw.once('close', () => {
      bytes -= held;
    });
    return (more: number) => {
      if (bytes + more > MOST_BYTES)
        throw new ServiceError(
          'QUEUE_FULL',
          'Too many large bodies and answers are on their way; try again later',
        );
      bytes += more;
      held += more;
    };
  };
  app.addHook('preParsing', async (request, reply, payload) => {
    if (request.headers['transfer-encoding'] !== undefined) {
      const counted = counting(SMALL_BYTES, holding(reply));
      // Whoever reads it sees what goes wrong.
      pipeline(payload, counted, () => {});
      return counted;
    }
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > SMALL_BYTES) holding(reply)(announced);
    return payload;
  });
  app.addHook('onSend', async (_, reply, payload) => {
    const size = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.length : 0;
    if (size > SMALL_BYTES) {
      holding(reply)(size);
      reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
    }
    return payload;
  });
}

/** Passes bytes on, and calls back for every `step` of them. */
function counting(step: number, onStep: (bytes: number) => void): Transform {
  let uncounted = 0;
  return new Transform({
    transform(chunk: Buffer, _, done) {
      uncounted += chunk.byteLength;
      try {
        for (; uncounted >= step; uncounted -= step) onStep(step);
        done(null, chunk);
      } catch (error) {
        done(error as Error);
      }
    },
  });
}
