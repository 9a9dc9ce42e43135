import { Type } from '@sinclair/typebox';
import { notSupported } from '../../errors.ts';
import { closed, nullable, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionAttach = defineMethod({
  name: 'session.attach',
  summary: 'Sends what a session told after a number, then goes on live; the answer comes before the events',
  answer: 'What is kept of what the client missed',
  params: closed({
    sessionId: SessionId,
    afterSeq: Type.Optional(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'The last number the client has; 0: from the start',
      }),
    ),
  }),
  result: Type.Object({
    sessionId: SessionId,
    afterSeq: Type.Integer({ description: 'As it was asked' }),
    lastSeq: Type.Integer({ description: 'The last number given out so far' }),
    complete: Type.Boolean({ description: 'false: some numbers after afterSeq are no longer kept' }),
    firstAvailable: nullable(
      Type.Integer({
        description: 'Where complete is false: the number that comes first; those before are lost',
      }),
    ),
  }),
  feature: 'Streaming',
  async run({ sessionId, afterSeq = 0 }, context) {
    const { connection } = context;
    if (!connection.live) throw notSupported('session.attach', 'needs a WebSocket');
    const { lastSeq, firstAvailable, start } = await connection.follow(sessionId, afterSeq, context);
    context.after(start);
    return { sessionId, afterSeq, lastSeq, complete: firstAvailable === null, firstAvailable };
  },
});
