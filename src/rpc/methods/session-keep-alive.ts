import { SessionInfo } from '../../schemas/session.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionKeepAlive = defineMethod({
  name: 'session.keepAlive',
  summary: 'Counts as activity: the idle timeout starts anew',
  params: closed({ sessionId: SessionId }),
  result: SessionInfo,
  run: ({ sessionId }, { service, call }) => service.sessions.keepAlive(sessionId, call),
});
