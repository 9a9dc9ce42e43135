import { pipeline, Transform } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ServiceError } from '../src/errors.ts';
import { LIMITS } from '../src/schemas/limits.ts';

/** Smaller ones are not counted, bytes. */
const SMALL_BYTES = 1024 * 1024;
/** A client that reads nothing of a large answer for this long is disconnected, milliseconds. */
const STALLED_MS = 60_000;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Takes its body and sends its answer piece by piece, and holds little of either. */
    streams?: boolean;
  }
}

/** Bounds the memory that slow or stalled clients can make the service hold. */
export function boundInFlight(app: FastifyInstance): void {
  let bytes = 0;
  /** Counts the bytes of one exchange until it is over. The returned function throws {ServiceError} QUEUE_FULL. */
  const holding = (reply: FastifyReply) => {
    let held = 0;
    reply.raw.once('close', () => {
      bytes -= held;
    });
    return (more: number) => {
      if (bytes + more > LIMITS.bodiesBytes)
        throw new ServiceError(
          'QUEUE_FULL',
          'Too many large bodies and answers are on their way; try again later',
        );
      bytes += more;
      held += more;
    };
  };
  app.addHook('preParsing', (request, reply, payload, done) => {
    if (request.routeOptions.config.streams) return done(null, payload);
    if (request.headers['transfer-encoding'] !== undefined) {
      const counted = counting(SMALL_BYTES, holding(reply));
      // Errors are seen by the reader of the stream.
      pipeline(payload, counted, () => {});
      return done(null, counted);
    }
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > SMALL_BYTES) holding(reply)(announced);
    done(null, payload);
  });
  app.addHook('onSend', (_, reply, payload, done) => {
    const size = typeof payload === 'string' || Buffer.isBuffer(payload) ? Buffer.byteLength(payload) : 0;
    if (size > SMALL_BYTES) {
      holding(reply)(size);
      reply.raw.setTimeout(STALLED_MS, () => reply.raw.destroy());
    }
    done(null, payload);
  });
}

/** A pass-through stream that calls back for every `step` bytes. */
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
