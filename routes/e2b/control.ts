import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { validator } from '../../src/schemas/validate.ts';
import type { Service } from '../../src/service/service.ts';
import { callOf } from '../call.ts';
import { takeLenientBodies } from '../lenient-bodies.ts';
import { checkTimeout, DEFAULT_TIMEOUT_S, readCreate, timeout } from './create-request.ts';
import { pageOf, readListQuery } from './list-query.ts';
import { maybe } from './maybe.ts';
import { SandboxMetrics } from './metrics.ts';
import { readNetwork } from './network.ts';
import { answerErrors, notThere, Refusal } from './refusals.ts';
import { accessTo, sandboxInfo } from './sandbox-info.ts';
import type { Sandboxes } from './sandboxes.ts';

const hidden = { schema: { hide: true } };
const timeoutBody = validator(Type.Object({ timeout }));
const connectBody = validator(Type.Object({ timeout: maybe(timeout) }));
const refreshBody = validator(Type.Object({ duration: maybe(timeout) }));

type OfSandbox = { Params: { id: string } };
type Query = Readonly<Record<string, string | string[] | undefined>>;

/** Creates, finds, lists and ends sandboxes, for who has a key. */
export function controlRoutes(app: FastifyInstance, service: Service, sandboxes: Sandboxes): void {
  const metrics = new SandboxMetrics(service.sessions);
  takeLenientBodies(app);
  answerErrors(app);
  answerOthers(app, sandboxes);
  app.addHook('preHandler', () => service.started());

  for (const path of ['/sandboxes', '/v2/sandboxes']) {
    app.post(path, hidden, async (request, reply) => {
      const wish = readCreate(request.body);
      const { sandbox } = await sandboxes.create(wish, callOf(request, reply));
      return reply.code(201).send(accessTo(sandbox));
    });
    app.get<{ Querystring: Query }>(path, hidden, async (request, reply) => {
      const call = callOf(request, reply);
      const { found, next } = await pageOf(sandboxes, readListQuery(request.query), call);
      if (next !== null) reply.header('x-next-token', next);
      return found.map(({ sandbox, info }) => sandboxInfo(sandbox, info));
    });
  }

  for (const path of ['/sandboxes/:id/connect', '/v2/sandboxes/:id/connect', '/sandboxes/:id/resume'])
    app.post<OfSandbox>(path, hidden, async (request, reply) => {
      const call = callOf(request, reply);
      const sandbox = sandboxes.find(request.params.id, call);
      const seconds = checkTimeout(connectBody(request.body ?? {}).timeout ?? DEFAULT_TIMEOUT_S);
      await sandboxes.setEnd(sandbox, { seconds, onlyLater: true }, call);
      return accessTo(sandbox);
    });

  app.get<OfSandbox>('/sandboxes/:id', hidden, async (request, reply) => {
    const call = callOf(request, reply);
    const sandbox = sandboxes.find(request.params.id, call);
    const info = await sandboxes.info(sandbox, call);
    return { ...accessTo(sandbox), ...sandboxInfo(sandbox, info) };
  });

  app.post<OfSandbox>('/sandboxes/:id/timeout', hidden, async (request, reply) => {
    const call = callOf(request, reply);
    const sandbox = sandboxes.find(request.params.id, call);
    await sandboxes.setEnd(sandbox, { seconds: checkTimeout(timeoutBody(request.body).timeout) }, call);
    return reply.code(204).send();
  });

  app.post<OfSandbox>('/sandboxes/:id/refreshes', hidden, async (request, reply) => {
    const call = callOf(request, reply);
    const sandbox = sandboxes.find(request.params.id, call);
    const seconds = checkTimeout(refreshBody(request.body ?? {}).duration ?? DEFAULT_TIMEOUT_S);
    await sandboxes.setEnd(sandbox, { seconds, onlyLater: true }, call);
    return reply.code(204).send();
  });

  app.get<OfSandbox & { Querystring: Query }>('/sandboxes/:id/metrics', hidden, async (request, reply) => {
    const call = callOf(request, reply);
    return metrics.between(sandboxes.find(request.params.id, call), request.query, call);
  });

  app.put<OfSandbox>('/sandboxes/:id/network', hidden, async (request, reply) => {
    const call = callOf(request, reply);
    const sandbox = sandboxes.find(request.params.id, call);
    await sandboxes.setNetwork(sandbox, readNetwork(request.body ?? {}), call);
    return reply.code(204).send();
  });

  app.delete<OfSandbox>('/sandboxes/:id', hidden, async (request, reply) => {
    const call = callOf(request, reply);
    await sandboxes.kill(sandboxes.find(request.params.id, call), call);
    return reply.code(204).send();
  });
}

/** What their service has and this one does not, by how the path goes on. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [/^(?:v\d\/)?templates/, 'Building templates is'],
  [/^(?:v\d\/)?volumes/, 'Volumes are'],
  [/^secrets/, 'Secrets are'],
  [/^snapshots|\/snapshots$/, 'Snapshots are'],
  [/\/pause$/, 'Pausing sandboxes is'],
  [/\/fork$/, 'Forking sandboxes is'],
  [/\/logs$/, 'The log of a sandbox is'],
  [/^sandboxes\/metrics$/, 'Metrics of several sandboxes at once are'],
];

function answerOthers(app: FastifyInstance, sandboxes: Sandboxes): void {
  app.setNotFoundHandler(async (request, reply) => {
    const { url, method } = request;
    const path = url.split('?', 1)[0]!.replace(/^\/e2b\//, '');
    const id = /^(?:v\d\/)?sandboxes\/([^/]+)\//.exec(path)?.[1];
    // What has ended is told to be so whatever is asked of it.
    if (id !== undefined) sandboxes.find(id, callOf(request, reply));
    const known = ELSEWHERE.find(([pattern]) => pattern.test(path));
    throw known ? notThere(known[1]) : new Refusal(404, `${method} /${path} is not served here`);
  });
}
