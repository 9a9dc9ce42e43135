import { Type } from '@sinclair/typebox';
import { CommandResult } from '../../commands/command-result.ts';
import { EXAMPLES, exampleReply } from '../../commands/examples.ts';
import { commands } from '../../commands/index.ts';
import { isBackground } from '../../commands/is-background.ts';
import { parseCommand } from '../../commands/parse.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { AnyCommand } from '../any-command.ts';
import { defineMethod } from '../method.ts';
import type { Following } from '../session-feed.ts';
import { wantsStream } from '../stream-wish.ts';
import { checkCommand } from '../used-features.ts';

export const sessionExecute = defineMethod({
  name: 'session.execute',
  summary: 'Runs one command in a session',
  params: closed({
    sessionId: SessionId,
    command: AnyCommand,
    stream: Type.Optional(
      Type.Boolean({ default: false, description: 'Send notifications; needs a WebSocket' }),
    ),
  }),
  result: CommandResult,
  examples: commands.map(({ type }) => ({
    name: type,
    params: {
      sessionId: '5f1c8a9e-2f7b-4c1d-8a43-6f0d2c7b9e10',
      command: { type, ...EXAMPLES[type].fields },
    },
    result: exampleReply(type),
  })),
  async run({ sessionId, command, stream }, context) {
    const { service, call, connection } = context;
    const streaming = wantsStream(stream, context);
    const request = parseCommand(command);
    checkCommand(request, connection);
    const background = isBackground(request);
    // A background command's end is a notification, whether or not it streams.
    const follows = streaming || (background && connection.live && connection.features.has('Streaming'));
    let following: Following | undefined;
    const { result, completedSeq } = await service.sessions.execute(sessionId, request, call, {
      stream: streaming,
      interactive: streaming,
      longTexts: connection.live,
      async beforeStart() {
        // A background command's answer is short, so it needs no room.
        if (!background) await connection.room();
        if (follows) following = await connection.follow(sessionId, null, context);
        following?.start();
      },
    });
    if (following && completedSeq !== null) await following.feed.sentUpTo(completedSeq);
    return result;
  },
});
