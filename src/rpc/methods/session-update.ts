import { NetworkRules } from '../../schemas/network.ts';
import { SessionInfo } from '../../schemas/session.ts';
import { closed, SessionId } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionUpdate = defineMethod({
  name: 'session.update',
  summary: 'Gives a session other network rules; open connections that they do not allow end within a second',
  params: closed({ sessionId: SessionId, network: NetworkRules }),
  result: SessionInfo,
  run: ({ sessionId, network }, { service, call }) => service.sessions.update(sessionId, { network }, call),
});
