import { type Static, Type } from '@sinclair/typebox';
import { BATCH_EXAMPLE, BatchResult, parseBatch } from '../../commands/batch.ts';
import { invalid } from '../../errors.ts';
import { closed } from '../../schemas/shapes.ts';
import type { BatchPlace } from '../../service/service.ts';
import { BatchFields } from '../batch-fields.ts';
import { defineMethod } from '../method.ts';
import type { Following } from '../session-feed.ts';
import { wantsStream } from '../stream-wish.ts';
import { checkCommand } from '../used-features.ts';

const params = closed({
  sessionId: Type.Optional(Type.String({ description: 'Names the session that it runs in' })),
  language: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 64,
      description: 'Instead of sessionId: of a session for this batch alone, which is closed after it',
    }),
  ),
  ...BatchFields,
  stream: Type.Optional(
    Type.Boolean({
      default: false,
      description: 'Send notifications: results as they come, and those of the commands; needs a WebSocket',
    }),
  ),
});

export const executionRunCommands = defineMethod({
  name: 'execution.runCommands',
  summary: 'Runs several commands as one, in order or all at once',
  params,
  result: BatchResult,
  examples: [
    {
      name: 'a file is written and read',
      params: { sessionId: '5f1c8a9e-2f7b-4c1d-8a43-6f0d2c7b9e10', ...BATCH_EXAMPLE.fields },
      result: BATCH_EXAMPLE.result,
    },
  ],
  // Nobody could take up a session of its own, or learn how a transaction ended.
  endsWithConnection: ({ sessionId, transactional }) => sessionId === undefined || transactional === true,
  async run({ sessionId, language, stream, ...fields }: Static<typeof params>, context) {
    const { service, call, connection } = context;
    const streaming = wantsStream(stream, context);
    const where = placeOf(sessionId, language);
    const batch = parseBatch(fields);
    for (const command of batch.commands) checkCommand(command, connection);
    let following: Following | undefined;
    const { result, completedSeq } = await service.sessions.runCommands(where, batch, call, {
      stream: streaming,
      interactive: streaming,
      async beforeStart(id) {
        await connection.room();
        if (streaming) following = await connection.follow(id, null, context);
        following?.start();
      },
    });
    if (following && completedSeq !== null) await following.feed.sentUpTo(completedSeq);
    return result;
  },
});

function placeOf(sessionId: string | undefined, language: string | undefined): BatchPlace {
  if (sessionId !== undefined && language !== undefined)
    throw invalid('language', 'given beside sessionId: a session has its own');
  if (sessionId !== undefined) return { sessionId };
  if (language !== undefined) return { language };
  throw invalid('sessionId', 'missing, as is language');
}
