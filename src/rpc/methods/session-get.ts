import { Type } from '@sinclair/typebox';
import { SessionInfo } from '../../schemas/session.ts';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionGet = defineMethod({
  name: 'session.get',
  summary: 'Describes a session',
  params: closed({ sessionId: Type.String() }),
  result: SessionInfo,
  reads: true,
  run: ({ sessionId }, { service, call }) => service.sessions.get(sessionId, call),
});
