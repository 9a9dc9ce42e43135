import { Type } from '@sinclair/typebox';
import { closed, ExecutionId } from '../../src/schemas/shapes.ts';
import type { Executions } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';
import { type EventStreams, eventStream, LastEventId } from './event-streams.ts';

/** A run's events. */
export function executionEvents(app: App, executions: Executions, streams: EventStreams): void {
  app.get(
    '/api/execution/:id/events',
    {
      // HEAD would follow the run to its end and discard everything.
      exposeHeadRoute: false,
      schema: {
        tags: ['execution'],
        operationId: 'followExecution',
        summary: 'What a run tells, from the start or after Last-Event-ID, until it has ended',
        params: closed({ id: ExecutionId }),
        headers: LastEventId,
        response: {
          200: eventStream('Each event of the run, until it has ended'),
          204: Type.Null({ description: 'It has ended and the client has its last event' }),
          ...problems(400, 'NOT_FOUND', 'QUEUE_FULL'),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const unread = new AbortController();
      const asked = callOf(request, reply);
      const call = { ...asked, signal: AbortSignal.any([asked.signal, unread.signal]) };
      streams.enter(call, reply);
      const after = Number(request.headers['last-event-id'] ?? 0);
      const { status } = await executions.status(id, call);
      const over = status !== 'pending' && status !== 'running';
      const stream = await executions.events(id, call, after);
      if (over && after > 0 && after >= stream.lastSeq) {
        unread.abort();
        return reply.code(204).send(null);
      }
      return streams.send(stream, call, reply) as never;
    },
  );
}
