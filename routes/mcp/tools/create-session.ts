import { Type } from '@sinclair/typebox';
import { SessionConfig, SessionInfo } from '../../../src/schemas/session.ts';
import { closed } from '../../../src/schemas/shapes.ts';
import { DEFAULT_LANGUAGE, defineTool, text } from './tool.ts';

const { language, memoryLimitMB, environment, idleTimeoutMinutes, maxLifetimeMinutes } =
  SessionConfig.properties;
const { sessionId, runtimeType } = SessionInfo.properties;

export const createSession = defineTool({
  name: 'create_session',
  title: 'Begin a session',
  description:
    'Begins one more session, apart from your own: other files, other variables. Its sessionId is for the other tools. Only needed to ' +
    'keep work apart, or for another limit of memory.',
  input: closed({
    language: Type.Optional({ ...language, description: `Name or alias; default: ${DEFAULT_LANGUAGE}` }),
    memoryLimitMB,
    environment,
    idleTimeoutMinutes,
    maxLifetimeMinutes,
  }),
  output: Type.Object({ sessionId, language, runtimeType }),
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  async run(args, { sessions, call }) {
    const { sessionId, language, runtimeType } = await sessions.create(
      { language: DEFAULT_LANGUAGE, ...args },
      call,
    );
    return {
      content: [text(`sessionId: ${sessionId}`)],
      structured: { sessionId, language, runtimeType },
      failed: false,
    };
  },
});
