import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Door } from '../door.ts';
import { healthRoutes } from './health.ts';
import { metricsRoute } from './metrics.ts';

/** For operators: /health… and /metrics. */
export const operations: Door = {
  name: 'operations',
  open(app, { service, registry }) {
    healthRoutes(app.withTypeProvider<TypeBoxTypeProvider>(), service);
    metricsRoute(app, registry);
  },
};
