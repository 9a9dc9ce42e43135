import { Type } from '@sinclair/typebox';
import type { FastifyInstance } from 'fastify';
import { Environment } from '../../src/schemas/shapes.ts';
import { validator } from '../../src/schemas/validate.ts';
import type { Service } from '../../src/service/service.ts';
import { VERSION } from '../../src/version.ts';
import { callOf } from '../call.ts';
import type { Door } from '../door.ts';
import { takeLenientBodies } from '../lenient-bodies.ts';
import { channelsRoute } from './channels.ts';
import type { Kernel } from './kernel.ts';
import { Kernels } from './kernels.ts';
import { answerErrors, Refusal } from './refusal.ts';
import { availableSpecs, DEFAULT_SPEC, describeSpec, listSpecs } from './specs.ts';

const PREFIX = '/jupyter';
const hidden = { schema: { hide: true } };
type OfKernel = { Params: { id: string } };

/** What clients of a gateway send; others of their fields are about files and notebooks, which they keep themselves. */
const readBody = validator(
  Type.Object({
    name: Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()])),
    env: Type.Optional(Type.Union([Environment, Type.Null()])),
  }),
);

/**
 * The door for clients of Jupyter's kernel gateway (https://jupyter-server.readthedocs.io, "REST API"; the messages are
 * https://jupyter-client.readthedocs.io, "Messaging in Jupyter"): a kernel is a session.
 */
export const jupyter: Door = {
  name: 'jupyter',
  async open(app, { service, inflow, admit }) {
    const kernels = new Kernels(service, app.log);
    app.addHook('onClose', async () => kernels.close());
    await app.register(
      async scope => {
        takeLenientBodies(scope);
        answerErrors(scope);
        scope.addHook('preHandler', () => service.started());
        specRoutes(scope, service);
        kernelRoutes(scope, kernels);
        channelsRoute(scope, kernels, { inflow, admit });
      },
      { prefix: PREFIX },
    );
  },
};

function specRoutes(app: FastifyInstance, service: Service): void {
  app.get('/api', hidden, async () => ({ version: VERSION }));
  app.get('/api/kernelspecs', hidden, async () => listSpecs(await service.languages()));
  app.get<{ Params: { name: string } }>('/api/kernelspecs/:name', hidden, async ({ params: { name } }) => {
    const spec = availableSpecs(await service.languages()).find(each => each.name === name);
    if (!spec) throw new Refusal(404, `Kernel spec ${name.slice(0, 100)} not found`);
    return describeSpec(spec);
  });
}

function kernelRoutes(app: FastifyInstance, kernels: Kernels): void {
  app.get('/api/kernels', hidden, async request => kernels.of(request).map(model));
  app.post('/api/kernels', hidden, async (request, reply) => {
    const { name, env } = readBody(request.body ?? {});
    const wish = { name: name || DEFAULT_SPEC, environment: env ?? {} };
    const kernel = await kernels.create(wish, callOf(request, reply));
    return reply.code(201).header('location', `${PREFIX}/api/kernels/${kernel.id}`).send(model(kernel));
  });
  app.get<OfKernel>('/api/kernels/:id', hidden, async request =>
    model(kernels.find(request.params.id, request)),
  );
  app.delete<OfKernel>('/api/kernels/:id', hidden, async (request, reply) => {
    await kernels.remove(kernels.find(request.params.id, request));
    return reply.code(204).send();
  });
  app.post<OfKernel>('/api/kernels/:id/interrupt', hidden, async (request, reply) => {
    await kernels.find(request.params.id, request).interrupt();
    return reply.code(204).send();
  });
  app.post<OfKernel>('/api/kernels/:id/restart', hidden, async request => {
    const kernel = kernels.find(request.params.id, request);
    await kernel.restart();
    return model(kernel);
  });
}

/** A kernel as clients see it. */
function model({ id, spec, lastActivity, state, connections }: Kernel) {
  return {
    id,
    name: spec.name,
    last_activity: lastActivity.toISOString(),
    execution_state: state,
    connections,
  };
}
