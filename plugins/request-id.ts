import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';

/** Ids that a client may give its request: they come back in a header and stand in the log. */
const GIVEN = /^[\w.:+=/@-]{1,128}$/;

/** The request's `X-Request-Id`; a new id where there is none, or none that fits. */
export function requestId({ headers }: { headers: IncomingHttpHeaders }): string {
  const given = headers['x-request-id'];
  return typeof given === 'string' && GIVEN.test(given) ? given : randomUUID();
}

/** Answers every request with its id. Registered before every hook that may refuse one. */
export function echoRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
}
