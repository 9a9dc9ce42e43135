import { Type } from '@sinclair/typebox';
import { nullable, oneOf } from '../../src/schemas/shapes.ts';
import type { Service } from '../../src/service/service.ts';
import type { App } from '../door.ts';

const Report = Type.Object({
  status: oneOf(
    ['healthy', 'degraded', 'unhealthy'],
    'degraded: a runtime is missing; unhealthy: none is there',
  ),
  uptimeSeconds: Type.Number(),
  runtimes: Type.Record(
    Type.String(),
    Type.Object({
      available: Type.Boolean(),
      version: Type.Optional(nullable(Type.String())),
      reason: Type.Optional(Type.String()),
      cure: Type.Optional(nullable(Type.String({ description: 'The command that makes it available' }))),
      startupMs: Type.Optional(Type.Number()),
      memoryMB: Type.Optional(Type.Number()),
    }),
  ),
  sessions: Type.Integer(),
  running: Type.Integer(),
  queued: Type.Integer(),
  store: nullable(Type.String({ description: 'Why executions cannot be kept; null when they can' })),
});
const ProbeReply = Type.Object({ status: Type.String() });
const tags = ['health'];
const config = { open: true };
const security: [] = [];

/** Health for people (`/health`) and for orchestrators (the other paths). Open without a key. */
export function healthRoutes(app: App, service: Service): void {
  app.get(
    '/health',
    {
      config,
      schema: {
        tags,
        security,
        operationId: 'getHealth',
        summary: 'How the service is, runtime by runtime',
        response: { 200: Report },
      },
    },
    async () => service.health(),
  );
  app.get(
    '/health/live',
    {
      config,
      schema: {
        tags,
        security,
        operationId: 'getLiveness',
        summary: 'The process answers',
        response: { 200: ProbeReply },
      },
    },
    async () => ({ status: 'live' }),
  );
  app.get(
    '/health/startup',
    {
      config,
      schema: {
        tags,
        security,
        operationId: 'getStartup',
        summary: '200 when every runtime has been tried once, else 503',
        response: { 200: ProbeReply, 503: ProbeReply },
      },
    },
    async (_, reply) => {
      const { starting } = await service.health();
      return reply.code(starting ? 503 : 200).send({ status: starting ? 'starting' : 'started' });
    },
  );
  app.get(
    '/health/ready',
    {
      config,
      schema: {
        tags,
        security,
        operationId: 'getReadiness',
        summary: '200 when code can be run here, else 503; also once the server shuts down',
        response: { 200: ProbeReply, 503: ProbeReply },
      },
    },
    async (_, reply) => {
      const { status, stopping } = await service.health();
      const ready = status !== 'unhealthy' && !stopping;
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' });
    },
  );
}
