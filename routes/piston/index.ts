import type { FastifyError, FastifyInstance } from 'fastify';
import type { Inflow } from '../../plugins/inflow.ts';
import { problemOf } from '../../plugins/problem.ts';
import { ServiceError } from '../../src/errors.ts';
import { parseJson } from '../../src/schemas/json-text.ts';
import type { Service } from '../../src/service/service.ts';
import type { Door } from '../door.ts';
import { connectRoute } from './connect.ts';
import { executeRoute } from './execute.ts';
import { inTheirWords, Refusal } from './refusal.ts';
import { pistonRuntimes } from './runtimes.ts';

/** Where clients look: a server of its own, the one that is public, and beside other doors. */
const PREFIXES = ['/api/v2', '/api/v2/piston', '/piston/api/v2'];

/** Piston's second version (https://github.com/engineer-man/piston, docs/api-v2.md). What is refused says so in `message`. */
export const piston: Door = {
  name: 'piston',
  async open(app, { service, inflow }) {
    for (const prefix of PREFIXES)
      await app.register(async scope => routes(scope, service, inflow), { prefix });
  },
};

function routes(app: FastifyInstance, service: Service, inflow: Inflow): void {
  readBodies(app);
  answerErrors(app);
  // Clients keep the list of runtimes for a day.
  app.addHook('preHandler', () => service.started());
  const hidden = { schema: { hide: true } };
  app.get('/runtimes', hidden, async () =>
    pistonRuntimes(await service.languages()).map(({ runtimeType, ...entry }) => entry),
  );
  app.get('/packages', hidden, async () =>
    pistonRuntimes(await service.languages()).map(({ language, version }) => ({
      language,
      language_version: version,
      installed: true,
    })),
  );
  executeRoute(app, service);
  connectRoute(app, service, inflow);
}

/** One of their clients sends JSON as text/plain. */
function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(['application/json', 'text/plain'], { parseAs: 'string' }, (_, text, done) => {
    try {
      done(null, parseJson(text as string));
    } catch (error) {
      done(new ServiceError('VALIDATION_ERROR', `The body is not JSON: ${(error as Error).message}`));
    }
  });
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof Refusal) return reply.code(400).send({ message: error.message });
    const known = problemOf(error);
    if (!known) request.log.error({ err: error }, 'a request of a Piston client failed');
    const message = error instanceof ServiceError ? inTheirWords(error) : known?.body.message;
    return reply
      .code(known?.status ?? 500)
      .headers(known?.headers ?? {})
      .send({ message: message ?? 'Internal error' });
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ message: 'Not Found' }));
}
