import type { Registry } from '@prometheus-io/client';
import type { FastifyInstance } from 'fastify';

export function metricsRoute(app: FastifyInstance, registry: Registry): void {
  app.get('/metrics', { schema: { hide: true } }, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
