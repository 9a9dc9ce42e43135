import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import type { Config } from '../src/config.ts';
import { originCheck } from './guard.ts';

/** What browsers must be told: which pages may read the answers, and that an answer is no page. */
export async function tellBrowsers(app: FastifyInstance, config: Config): Promise<void> {
  const mayCome = originCheck(config);
  await app.register(cors, {
    // The guard has refused foreign origins already; what comes here without an Origin is no browser's business.
    origin: (origin, done) => done(null, origin !== undefined && mayCome(origin, undefined)),
    methods: ['GET', 'HEAD', 'POST', 'DELETE'],
    allowedHeaders: ['content-type', 'authorization', 'x-api-key', 'prefer', 'last-event-id'],
    exposedHeaders: ['retry-after', 'preference-applied', 'allow'],
    maxAge: 600,
    strictPreflight: false,
  });
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'self'"], frameAncestors: ["'none'"] },
    },
    // The service speaks plain HTTP on loopback; a proxy that adds TLS adds this.
    strictTransportSecurity: false,
  });
}
