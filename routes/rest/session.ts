import { Type } from '@sinclair/typebox';
import { Cursor, SessionClosed, SessionConfig, SessionInfo, SessionList } from '../../src/schemas/session.ts';
import { closed, SessionId } from '../../src/schemas/shapes.ts';
import type { Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { App } from '../door.ts';
import { problems } from '../problems.ts';
import { withExample } from './example.ts';

const params = closed({ id: SessionId });
const tags = ['session'];
/** Query parameters are strings. */
const Page = closed({
  limit: Type.Optional(
    Type.String({
      pattern: '^([1-9]\\d{0,2}|1000)$',
      description: 'Sessions on a page, 1 to 1000; default: 1000',
    }),
  ),
  cursor: Type.Optional(Cursor),
});
/** Sessions over REST: the shapes of the JSON-RPC methods. */
export function sessionRoutes(app: App, { sessions }: Service): void {
  app.post(
    '/api/session',
    {
      schema: {
        tags,
        operationId: 'createSession',
        summary: 'Opens a session',
        body: withExample(SessionConfig, { language: 'python', idleTimeoutMinutes: 5 }),
        response: { 201: SessionInfo, ...problems(400, 413, 415, 422, 503) },
      },
    },
    async (request, reply) =>
      reply.code(201).send(await sessions.create(request.body, callOf(request, reply))),
  );
  app.get(
    '/api/session',
    {
      schema: {
        tags,
        operationId: 'listSessions',
        summary: "The caller's sessions",
        querystring: Page,
        response: { 200: SessionList, ...problems(400) },
      },
    },
    async (request, reply) => {
      const { limit, cursor } = request.query;
      return sessions.list(
        { limit: limit === undefined ? limit : Number(limit), cursor },
        callOf(request, reply),
      );
    },
  );
  app.get(
    '/api/session/:id',
    {
      schema: {
        tags,
        operationId: 'getSession',
        summary: 'One session',
        params,
        response: { 200: SessionInfo, ...problems('SESSION_NOT_FOUND') },
      },
    },
    async (request, reply) => sessions.get(request.params.id, callOf(request, reply)),
  );
  app.delete(
    '/api/session/:id',
    {
      schema: {
        tags,
        operationId: 'closeSession',
        summary: 'Ends a session and whatever runs in it',
        params,
        response: { 200: SessionClosed, ...problems('SESSION_NOT_FOUND') },
      },
    },
    (request, reply) => sessions.close(request.params.id, callOf(request, reply)),
  );
}
