import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allowedMethods } from './allowed-methods.ts';
import { type ProblemReply, problem, problemOf } from './problem.ts';

/** For whoever has misspelled one. */
const PATHS = 'GET /openapi.json has every path, and /docs shows them';

/** Gives every refusal the same body. Any other error is logged and answered by 500. */
export function answerErrors(app: FastifyInstance): void {
  const methodsOf = allowedMethods(app);
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const known = problemOf(error);
    if (!known) request.log.error({ err: error }, 'a request failed');
    return sendProblem(reply, known ?? problem('INTERNAL_ERROR', 'Internal error'));
  });
  const notFound = (request: FastifyRequest, reply: FastifyReply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const allowed = methodsOf(path);
    if (allowed.length === 0) return sendProblem(reply, problem('NOT_FOUND', `No such path: ${path}`, PATHS));
    reply.header('allow', [...allowed, 'OPTIONS'].join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    return sendProblem(
      reply,
      problem('METHOD_NOT_ALLOWED', `${request.method} is not allowed here: ${allowed.join(', ')}`),
    );
  };
  app.setNotFoundHandler(notFound);
  // Fastify requires a body for QUERY before it looks for a route.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404 && request.method === 'QUERY') notFound(request, reply);
    else done();
  });
}

export function sendProblem(reply: FastifyReply, { status, headers, body }: ProblemReply): FastifyReply {
  // Serialized here, because a route's response schema would drop fields.
  return reply.code(status).headers(headers).type('application/json').serializer(JSON.stringify).send(body);
}
