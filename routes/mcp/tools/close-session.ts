import { Type } from '@sinclair/typebox';
import { closed } from '../../../src/schemas/shapes.ts';
import { defineTool, sessionId, text } from './tool.ts';

export const closeSession = defineTool({
  name: 'close_session',
  title: 'End a session',
  description:
    'Ends a session with its files and variables; without sessionId your own, so that the next call begins afresh.',
  input: closed({ sessionId }),
  output: Type.Object({
    closed: Type.Array(Type.String(), { description: 'Ids of sessions that ended; none if there was none' }),
  }),
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  async run({ sessionId }, use) {
    const closed =
      sessionId === undefined
        ? await use.leave()
        : [(await use.sessions.close(sessionId, use.call)).sessionId];
    const words = closed.length === 0 ? 'There was no session to end' : `Ended: ${closed.join(', ')}`;
    return { content: [text(words)], structured: { closed }, failed: false };
  },
});
