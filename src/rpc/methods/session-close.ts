import { SessionClosed } from '../../schemas/session.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionClose = defineMethod({
  name: 'session.close',
  summary: 'Ends a session and whatever runs in it; nothing of it remains',
  params: closed({ sessionId: SessionId }),
  result: SessionClosed,
  run: ({ sessionId }, { service, call }) => service.sessions.close(sessionId, call),
});
