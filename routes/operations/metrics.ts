import type { Registry } from '@prometheus-io/client';
import type { FastifyInstance } from 'fastify';

/** Metrics in Prometheus' text format, for operators. */
export function metricsRoute(app: FastifyInstance, registry: Registry): void {
  app.get('/metrics', { config: { operators: true }, schema: { hide: true } }, async (_, reply) =>
    reply.type(registry.contentType).send(await registry.metrics()),
  );
}
