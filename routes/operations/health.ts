import { Type } from '@sinclair/typebox';
import { nullable, oneOf } from '../../src/schemas/shapes.ts';
import type { Service } from '../../src/service/service.ts';
import type { App } from '../door.ts';

const Report = Type.Object(
  {
    status: oneOf(
      ['healthy', 'degraded', 'unhealthy'],
      'degraded: a runtime is missing; unhealthy: none is there',
    ),
    uptimeSeconds: Type.Number({ description: 'Since the process began' }),
    runtimes: Type.Record(
      Type.String(),
      Type.Object({
        available: Type.Boolean({ description: 'It can run programs now' }),
        version: Type.Optional(nullable(Type.String({ description: 'Of its toolchain, or of the engine' }))),
        reason: Type.Optional(Type.String({ description: 'Why it is not available' })),
        cure: Type.Optional(nullable(Type.String({ description: 'The command that makes it available' }))),
        startupMs: Type.Optional(
          Type.Number({ description: 'Until its interpreter prints, as measured here' }),
        ),
        memoryMB: Type.Optional(Type.Number({ description: 'Of an idle interpreter, as measured here' })),
      }),
      { description: 'By their names' },
    ),
    sessions: Type.Integer({ description: 'How many are open' }),
    running: Type.Integer({ description: 'One-shots and cells that run now' }),
    queued: Type.Integer({ description: 'One-shots and cells that wait for a place' }),
    store: nullable(Type.String({ description: 'Why executions cannot be kept; null when they can' })),
  },
  { description: 'How the service is' },
);
const probeReply = (description: string) =>
  Type.Object({ status: Type.String({ description: 'The same in a word or two' }) }, { description });
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
        response: { 200: probeReply('It lives') },
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
        response: { 200: probeReply('Each runtime has been tried'), 503: probeReply('Not yet') },
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
        response: { 200: probeReply('Code can be run'), 503: probeReply('It cannot') },
      },
    },
    async (_, reply) => {
      const { status, stopping } = await service.health();
      const ready = status !== 'unhealthy' && !stopping;
      return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready' });
    },
  );
}
