import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { allowedMethods } from './allowed-methods.ts';
import { type ProblemReply, problem, problemOf } from './problem.ts';

/** Every answer that says no has the same body, whoever refused; what is no refusal is logged and told as a 500. */
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
    if (allowed.length === 0) return sendProblem(reply, problem('NOT_FOUND', `No such path: ${path}`));
    reply.header('allow', [...allowed, 'OPTIONS'].join(', '));
    if (request.method === 'OPTIONS') return reply.code(204).send();
    return sendProblem(
      reply,
      problem('METHOD_NOT_ALLOWED', `${request.method} is not allowed here: ${allowed.join(', ')}`),
    );
  };
  app.setNotFoundHandler(notFound);
  // Of QUERY Fastify misses a body first, also where no QUERY is known.
  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 && request.method === 'QUERY') return notFound(request, reply);
  });
}

export function sendProblem(reply: FastifyReply, { status, headers, body }: ProblemReply): FastifyReply {
  // A problem is the same everywhere: no route's own schema may cut it.
  return reply.code(status).headers(headers).type('application/json').serializer(JSON.stringify).send(body);
}
