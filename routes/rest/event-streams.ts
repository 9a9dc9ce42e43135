import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import type { FastifyReply } from 'fastify';
import { LIMITS } from '../../src/schemas/limits.ts';
import { oneOf } from '../../src/schemas/shapes.ts';
import { Places } from '../../src/service/admission/places.ts';
import type { Call } from '../../src/service/call.ts';
import type { EventStream } from '../../src/service/service.ts';
import { onceClosed } from '../../src/wire/once-closed.ts';
import { sse } from './sse.ts';

/** One event, as https://spec.openapis.org/oas/v3.2 describes event streams. */
const SseEvent = Type.Object({
  id: Type.String({ description: 'Its seq' }),
  event: oneOf(['started', 'output', 'result', 'progress', 'completed'], 'What it tells'),
  data: Type.String({ contentMediaType: 'application/json', description: 'The params of the notification' }),
});

/** Header of a request that goes on where an earlier stream broke off. */
export const LastEventId = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ pattern: '^\\d{1,15}$', description: 'The last seq that the client has, a number' }),
  ),
});

/** The answer, for a route's contract. */
export const eventStream = (description: string) => ({
  description,
  content: { 'text/event-stream': { schema: SseEvent } },
});

/** Sends events as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), to so many clients. */
export class EventStreams {
  readonly #places = new Places('event streams', LIMITS.eventStreams);

  /** Takes a place until the reply has been closed. @throws {ServiceError} QUEUE_FULL */
  enter({ client }: Call, reply: FastifyReply): void {
    onceClosed(reply.raw, this.#places.enter(client));
  }

  send(stream: EventStream, call: Call, reply: FastifyReply): FastifyReply {
    return sendEventStream(sse(stream, call.signal), reply);
  }
}

export function sendEventStream(texts: AsyncIterable<string>, reply: FastifyReply): FastifyReply {
  reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store');
  // Buffering proxies would delay events.
  reply.header('x-accel-buffering', 'no');
  // Fastify pipes it, waiting for the client to take it.
  return reply.send(Readable.from(texts, { objectMode: false }));
}
