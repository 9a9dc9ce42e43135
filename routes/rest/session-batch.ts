import { BATCH_EXAMPLE, BatchResult, parseBatch } from '../../src/commands/batch.ts';
import { BatchFields } from '../../src/rpc/batch-fields.ts';
import { PendingCommand } from '../../src/schemas/pending-command.ts';
import { closed, SessionId } from '../../src/schemas/shapes.ts';
import type { BatchReply, Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';
import { answerInTime } from './answer-in-time.ts';
import { asItIs } from './as-it-is.ts';
import { withExample } from './example.ts';
import { LATE_HEADERS, PreferHeader, WaitQuery } from './prefer.ts';

/** Several commands of a session as one. */
export function batchRoutes(app: App, service: Service): void {
  app.post(
    '/api/session/:id/batch',
    {
      ...asItIs,
      schema: {
        tags: ['session'],
        operationId: 'executeBatch',
        summary:
          'Runs several commands in a session and answers when all have ended, or with Prefer: wait=SECONDS when that is over; a client that goes away cancels a transactional batch and no other',
        params: closed({ id: SessionId }),
        body: withExample(closed(BatchFields), BATCH_EXAMPLE.fields),
        querystring: closed({ wait: WaitQuery }),
        headers: PreferHeader,
        response: {
          200: { ...BatchResult, description: 'What came of a batch that has ended' },
          202: { ...PendingCommand, description: 'It goes on, and its wait is over', headers: LATE_HEADERS },
          ...problems(400, 'SESSION_NOT_FOUND', 409, 413, 415, 422, 503),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const batch = parseBatch(request.body);
      const own = callOf(request, reply);
      const call = batch.transactional ? own : { ...own, signal: new AbortController().signal };
      return answerInTime<BatchReply>(request, reply, { service, sessionId: id, call }, onTaken =>
        service.sessions.runCommands({ sessionId: id }, batch, call, { stream: true, onTaken }),
      );
    },
  );
}
