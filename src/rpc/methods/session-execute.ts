import { Type } from '@sinclair/typebox';
import { CommandResult } from '../../schemas/command-result.ts';
import { closed } from '../../schemas/shapes.ts';
import { AnyCommand } from '../any-command.ts';
import { defineMethod } from '../method.ts';
import { queueOf } from '../queue-of.ts';
import { wantsStream } from '../stream-wish.ts';

export const sessionExecute = defineMethod({
  name: 'session.execute',
  summary: 'Runs one command in a session',
  params: closed({
    sessionId: Type.String(),
    command: AnyCommand,
    stream: Type.Optional(
      Type.Boolean({ default: false, description: 'Send notifications; needs a WebSocket' }),
    ),
  }),
  result: CommandResult,
  queue: ({ sessionId, command }, context) => queueOf(sessionId, command, context),
  async run({ sessionId, command, stream }, context) {
    const { service, call, connection } = context;
    const streaming = wantsStream(stream, context);
    // A background command tells its end in a notification, whether or not it streams.
    const background = queueOf(sessionId, command, context) === null;
    const follows = streaming || (background && connection.live && connection.streaming);
    const following = follows ? connection.follow(sessionId, null, context) : null;
    following?.start();
    const { result, completedSeq } = await service.sessions.execute(sessionId, command, call, {
      stream: streaming,
      interactive: streaming,
    });
    if (following && completedSeq !== null) await following.feed.sentUpTo(completedSeq);
    return result;
  },
});
