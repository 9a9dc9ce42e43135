import type { FastifyError, FastifyInstance } from 'fastify';
import { problemOf } from '../../plugins/problem.ts';
import { ServiceError } from '../../src/errors.ts';
import { parseJson } from '../../src/schemas/json-text.ts';
import type { Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import type { Door } from '../door.ts';
import { attributesOf, NotText } from './attributes.ts';
import { batchRoutes } from './batch.ts';
import { Callbacks } from './callbacks.ts';
import { configInfo } from './config-info.ts';
import { createRoute, NOT_TEXT } from './create.ts';
import { judge0Languages } from './languages.ts';
import { readQuery } from './query.ts';
import { Invalid, Refusal } from './refusal.ts';
import { STATUSES } from './statuses.ts';
import type { Terms } from './submission.ts';
import { Submissions } from './submissions.ts';

const PREFIX = '/judge0';
/** The version whose protocol this is: clients look up the ids of languages by it. */
const VERSION = '1.13.1';

/** Judge0 CE (https://github.com/judge0/judge0, docs/api). What is refused says so in `error`, or by the submission's fields. */
export const judge0: Door = {
  name: 'judge0',
  async open(app, { service, callbackOrigins }) {
    await app.register(async scope => routes(scope, service, callbackOrigins), { prefix: PREFIX });
  },
};

function routes(app: FastifyInstance, service: Service, callbackOrigins: readonly string[]): void {
  readBodies(app);
  answerErrors(app);
  app.addHook('preHandler', () => service.started());
  const submissions = new Submissions(service);
  const callbacks = new Callbacks(callbackOrigins, submissions);
  app.addHook('onClose', async () => callbacks.close());
  const languages = async () => judge0Languages(await service.languages());
  const config = async () => configInfo(await service.capabilities(), { callbacks: callbacks.on });
  const termsOf = async (base64: boolean): Promise<Terms> => ({
    base64,
    languages: await languages(),
    config: await config(),
    mayCall: url => callbacks.mayCall(url),
  });
  informationRoutes(app, { languages, config });
  createRoute(app, { submissions, callbacks, termsOf });
  batchRoutes(app, { submissions, callbacks, termsOf });
  const hidden = { schema: { hide: true } };
  app.get<{ Params: { token: string } }>('/submissions/:token', hidden, async (request, reply) => {
    const { base64, names } = readQuery(request.query);
    const taken = await submissions.find(request.params.token, callOf(request, reply));
    return attributesOf(taken, { names, base64, languages: await languages() });
  });
  // Results go by themselves when they are old.
  app.delete('/submissions/:token', hidden, () => {
    throw new Refusal('delete not allowed');
  });
  app.get('/submissions', hidden, () => {
    throw new Refusal('listing submissions is not allowed');
  });
}

function informationRoutes(
  app: FastifyInstance,
  {
    languages,
    config,
  }: {
    languages: () => Promise<ReturnType<typeof judge0Languages>>;
    config: () => Promise<ReturnType<typeof configInfo>>;
  },
): void {
  const hidden = { schema: { hide: true } };
  const list = async () => (await languages()).map(({ id, name }) => ({ id, name }));
  app.get('/languages', hidden, list);
  app.get('/languages/all', hidden, async () =>
    (await list()).map(language => ({ ...language, is_archived: false })),
  );
  app.get<{ Params: { id: string } }>('/languages/:id', hidden, async ({ params }) => {
    const found = (await languages()).find(({ id }) => String(id) === params.id);
    if (!found) throw new Refusal("language doesn't exist", 404);
    const { id, name, source_file } = found;
    return { id, name, is_archived: false, source_file, compile_cmd: null, run_cmd: null };
  });
  app.get('/statuses', hidden, () => STATUSES);
  app.get('/config_info', hidden, config);
  app.get('/about', hidden, () => ({
    version: VERSION,
    homepage: 'https://judge0.com',
    source_code: 'https://github.com/judge0/judge0',
    maintainer: 'CodeBeaker',
  }));
  // Judge0 tells of its machine here; this service tells strangers nothing of its own.
  app.get('/system_info', hidden, () => ({}));
}

function readBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_, text, done) => {
    try {
      done(null, parseJson(text as string));
    } catch (error) {
      done(new ServiceError('VALIDATION_ERROR', `The body is not JSON: ${(error as Error).message}`));
    }
  });
}

function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof Invalid) return reply.code(422).send(error.problems);
    if (error instanceof Refusal) return reply.code(error.status).send({ error: error.message });
    if (error instanceof NotText) return reply.code(400).send({ error: NOT_TEXT });
    const known = problemOf(error);
    if (!known) request.log.error({ err: error }, 'a request of a Judge0 client failed');
    return reply
      .code(known?.status ?? 500)
      .headers(known?.headers ?? {})
      .send({ error: known?.body.message ?? 'Internal error' });
  });
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ error: 'not found' }));
}
