import { Readable } from 'node:stream';
import { Type } from '@sinclair/typebox';
import { ServiceError } from '../../src/errors.ts';
import { closed, oneOf } from '../../src/schemas/shapes.ts';
import type { Executions } from '../../src/service/service.ts';
import type { App } from '../door.ts';
import { callOf } from './call.ts';
import { problems } from './problems.ts';
import { sse } from './sse.ts';

/** Most event streams at once: of one client, and of all. Each may hold a run's kept events, usually 1 MiB. */
const MOST_OF_CLIENT = 256;
const MOST = 1024;

/** One event, as https://spec.openapis.org/oas/v3.2 describes event streams. */
const SseEvent = Type.Object({
  id: Type.String({ description: 'Its seq' }),
  event: oneOf(['started', 'output', 'result', 'progress', 'completed']),
  data: Type.String({ contentMediaType: 'application/json', description: 'The params of the notification' }),
});

/** A run's events as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function executionEvents(app: App, executions: Executions): void {
  const open = new Map<string, number>();
  let all = 0;
  /** @throws {ServiceError} QUEUE_FULL */
  const enter = (client: string): (() => void) => {
    const own = open.get(client) ?? 0;
    if (own >= MOST_OF_CLIENT || all >= MOST)
      throw new ServiceError('QUEUE_FULL', 'Too many runs are being followed; try again later');
    open.set(client, own + 1);
    all++;
    return () => {
      const left = (open.get(client) ?? 1) - 1;
      if (left > 0) open.set(client, left);
      else open.delete(client);
      all--;
    };
  };
  app.get(
    '/api/execution/:id/events',
    {
      // HEAD would follow the run to its end and discard everything.
      exposeHeadRoute: false,
      schema: {
        tags: ['execution'],
        operationId: 'followExecution',
        summary: 'What a run tells, from the start or after Last-Event-ID, until it has ended',
        params: closed({ id: Type.String() }),
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ pattern: '^\\d{1,15}$', description: 'The last seq the client has' }),
          ),
        }),
        response: {
          200: {
            description: 'Each event of the run, until it has ended',
            content: { 'text/event-stream': { schema: SseEvent } },
          },
          204: Type.Null({ description: 'It has ended and the client has its last event' }),
          ...problems(400, 'NOT_FOUND', 'QUEUE_FULL'),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const call = callOf(request, reply);
      reply.raw.once('close', enter(call.client));
      const after = Number(request.headers['last-event-id'] ?? 0);
      const stream = await executions.events(id, call, after);
      const { status } = await executions.status(id, call);
      const over = status !== 'pending' && status !== 'running';
      if (over && after > 0 && after >= stream.lastSeq) return reply.code(204).send(null);
      reply.header('content-type', 'text/event-stream').header('cache-control', 'no-store');
      // Buffering proxies would delay events.
      reply.header('x-accel-buffering', 'no');
      // The type of a 200 is its text; Fastify pipes it, waiting for the client to take it.
      return reply.send(Readable.from(sse(stream, call.signal), { objectMode: false }) as never);
    },
  );
}
