import { Type } from '@sinclair/typebox';
import { Cursor, MAX_PAGE_SESSIONS, SessionList } from '../../schemas/session.ts';
import { closed } from '../../schemas/shapes.ts';
import { defineMethod } from '../method.ts';

export const sessionList = defineMethod({
  name: 'session.list',
  summary: "Lists the caller's sessions",
  params: closed({
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_PAGE_SESSIONS,
        default: MAX_PAGE_SESSIONS,
        description: 'Of a page',
      }),
    ),
    cursor: Type.Optional(Cursor),
  }),
  result: SessionList,
  reads: true,
  run: (options, { service, call }) => service.sessions.list(options, call),
});
