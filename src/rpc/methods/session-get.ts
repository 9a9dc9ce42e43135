import { SessionInfo } from '../../schemas/session.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionGet = defineMethod({
  name: 'session.get',
  summary: 'Describes a session',
  params: closed({ sessionId: SessionId }),
  result: SessionInfo,
  reads: true,
  run: ({ sessionId }, { service, call }) => service.sessions.get(sessionId, call),
});
