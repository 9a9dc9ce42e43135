import { SessionList } from '../../schemas/session.ts';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionList = defineMethod({
  name: 'session.list',
  summary: "Lists the caller's sessions",
  params: closed({}),
  result: SessionList,
  run: (_, { service, call }) => service.sessions.list(call),
});
