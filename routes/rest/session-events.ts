import { closed, SessionId } from '../../src/schemas/shapes.ts';
import type { Sessions } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';
import { type EventStreams, eventStream, LastEventId } from './event-streams.ts';

/** The events of a session's commands. */
export function sessionEvents(app: App, sessions: Sessions, streams: EventStreams): void {
  app.get(
    '/api/session/:id/events',
    {
      // HEAD would follow the session to its end and discard everything.
      exposeHeadRoute: false,
      schema: {
        tags: ['session'],
        operationId: 'followSession',
        summary:
          'What the commands of a session tell, from what is kept on or after Last-Event-ID, until the session has ended',
        params: closed({ id: SessionId }),
        headers: LastEventId,
        response: {
          200: eventStream(
            'Each event of commands that came over REST, with stream: true or with background: true, until the session has ended',
          ),
          ...problems(400, 'SESSION_NOT_FOUND', 'QUEUE_FULL'),
        },
      },
    },
    async (request, reply) => {
      const call = callOf(request, reply);
      streams.enter(call, reply);
      const after = Number(request.headers['last-event-id'] ?? 0);
      const stream = await sessions.events(request.params.id, call, after);
      return streams.send(stream, call, reply) as never;
    },
  );
}
