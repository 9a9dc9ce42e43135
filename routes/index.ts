import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { Registry } from '@prometheus-io/client';
import type { FastifyInstance } from 'fastify';
import type { Admit } from '../plugins/rate-limit.ts';
import type { Rpc } from '../src/rpc/index.ts';
import type { Service } from '../src/service/service.ts';
import { executionRoutes } from './execution.ts';
import { healthRoutes } from './health.ts';
import { jsonRpcRoutes } from './jsonrpc.ts';
import { languageRoutes } from './language.ts';
import { metricsRoute } from './metrics.ts';
import { sessionRoutes } from './session.ts';

/**
 * The REST door. A route is a schema, one call of the service and a status; it decides nothing. Who may come, what a
 * body is and how errors look is settled in plugins/. Imports: plugins, rpc, the service's interface, schemas.
 */
export function addRoutes(
  app: FastifyInstance,
  parts: { service: Service; rpc: Rpc; registry: Registry; admit: Admit | undefined },
): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>();
  executionRoutes(typed, parts.service);
  languageRoutes(typed, parts.service);
  sessionRoutes(typed, parts.service);
  healthRoutes(typed, parts.service);
  jsonRpcRoutes(app, parts.rpc, parts.admit);
  metricsRoute(app, parts.registry);
}
