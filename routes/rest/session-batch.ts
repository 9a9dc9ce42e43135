import { Type } from '@sinclair/typebox';
import { BATCH_EXAMPLE, BatchResult, parseBatch } from '../../src/commands/batch.ts';
import { BatchFields } from '../../src/rpc/batch-fields.ts';
import { PendingCommand } from '../../src/schemas/pending-command.ts';
import { closed, oneOf } from '../../src/schemas/shapes.ts';
import type { BatchReply, Service } from '../../src/service/service.ts';
import type { App } from '../door.ts';
import { answerInTime } from './answer-in-time.ts';
import { asItIs } from './as-it-is.ts';
import { callOf } from './call.ts';
import { withExample } from './example.ts';
import { problems } from './problems.ts';

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
        params: closed({ id: Type.String() }),
        body: withExample(closed(BatchFields), BATCH_EXAMPLE.fields),
        querystring: closed({ wait: Type.Optional(oneOf(['true', 'false'])) }),
        headers: Type.Object({
          prefer: Type.Optional(Type.String({ description: 'wait=SECONDS, as in RFC 7240' })),
        }),
        response: {
          200: Type.Union([BatchResult, PendingCommand], {
            description: 'BatchResult of a batch that has ended; PendingCommand when the wait ran out',
          }),
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
