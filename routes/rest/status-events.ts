import { Type } from '@sinclair/typebox';
import { closed } from '../../src/schemas/shapes.ts';
import { STATUS_EVENTS } from '../../src/schemas/status-events.ts';
import type { Status } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';
import { sendEventStream } from './event-streams.ts';
import { statusSse } from './sse.ts';

/** One event, as https://spec.openapis.org/oas/v3.2 describes event streams. */
const SseStatusEvent = Type.Object({
  id: Type.Optional(Type.String({ description: 'For Last-Event-ID; events.dropped has none' })),
  event: Type.Unsafe<string>({
    type: 'string',
    enum: Object.keys(STATUS_EVENTS),
    description: 'What it tells',
  }),
  data: Type.String({
    contentMediaType: 'application/json',
    description: 'The params of the notification: see x-status-notifications in /openrpc.json',
  }),
});

/** What happens to the caller's sessions and runs, and to runtimes. */
export function statusEvents(app: App, status: Status): void {
  app.get(
    '/api/events',
    {
      // HEAD would follow without end and discard everything.
      exposeHeadRoute: false,
      schema: {
        tags: ['operations'],
        operationId: 'followEvents',
        summary:
          'What happens to sessions, runs and runtimes from now on, or after Last-Event-ID; /ws/status does the same',
        querystring: closed({
          subscribe: Type.Optional(
            Type.String({
              maxLength: 4096,
              default: '*',
              description: 'Names of events, or session.* and the like, with commas in between',
            }),
          ),
          sessionId: Type.Optional(
            Type.String({ description: 'Of sessions and runs only those of this one' }),
          ),
        }),
        headers: Type.Object({
          'last-event-id': Type.Optional(
            Type.String({ pattern: '^[\\w-]{1,64}$', description: 'The last id the client has' }),
          ),
        }),
        response: {
          200: {
            description: 'Each event, until the client leaves',
            content: { 'text/event-stream': { schema: SseStatusEvent } },
          },
          ...problems(400, 'SESSION_NOT_FOUND', 'QUEUE_FULL'),
        },
      },
    },
    async (request, reply) => {
      const call = callOf(request, reply);
      const { subscribe = '*', sessionId } = request.query;
      const wish = { subscribe: subscribe.split(','), sessionId };
      const messages = await status.follow(wish, call, request.headers['last-event-id']);
      return sendEventStream(statusSse(messages, call.signal), reply) as never;
    },
  );
}
