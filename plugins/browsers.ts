import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import cors from '@fastify/cors';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import type { Config } from '../src/config.ts';
import type { PortNames } from '../src/port-names.ts';
import { originCheck } from './guard.ts';

const ALLOWED = [
  'content-type',
  'authorization',
  'x-api-key',
  'x-auth-token',
  'x-request-id',
  'prefer',
  'last-event-id',
];
const OF_UPLOADS = [
  'content-range',
  'content-digest',
  'repr-digest',
  'digest',
  'x-file-mode',
  'content-encoding',
];
const OF_DOWNLOADS = ['range', 'if-range', 'if-none-match'];
const OF_AGENTS = ['mcp-protocol-version', 'mcp-session-id', 'mcp-method', 'mcp-name'];
const EXPOSED = ['x-request-id', 'retry-after', 'preference-applied', 'allow'];
const OF_FILES = [
  'etag',
  'content-range',
  'accept-ranges',
  'content-disposition',
  'x-file-mode',
  'upload-offset',
];

/** Headers for browsers: which pages may read answers, and that answers are not pages. */
export async function tellBrowsers(app: FastifyInstance, config: Config, names: PortNames): Promise<void> {
  const mayCome = originCheck(config, names);
  await app.register(cors, {
    // The guard has already refused foreign origins; a request without an Origin needs no CORS headers.
    origin: (origin, done) => done(null, origin !== undefined && mayCome(origin, undefined)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: [...ALLOWED, ...OF_UPLOADS, ...OF_DOWNLOADS, ...OF_AGENTS],
    exposedHeaders: [...EXPOSED, ...OF_FILES, 'mcp-session-id'],
    maxAge: 600,
    strictPreflight: false,
  });
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'self'"], frameAncestors: ["'none'"] },
    },
    // The service speaks plain HTTP on loopback; a proxy that adds TLS adds this.
    strictTransportSecurity: false,
  });
  const headers = headersOf(protect);
  app.addHook('onRequest', (_, reply, done) => {
    for (const [name, value] of headers) reply.raw.setHeader(name, value);
    done();
  });
}

/** What helmet says, asked once, as it is the same for every answer: its dozen functions cost more than the headers. */
function headersOf(protect: ReturnType<typeof helmet>): [name: string, value: string][] {
  const request = new IncomingMessage(new Socket());
  // Its type lacks the names as they were set.
  const response = new ServerResponse(request) as ServerResponse & { getRawHeaderNames(): string[] };
  protect(request, response, () => {});
  return response.getRawHeaderNames().map(name => [name, String(response.getHeader(name))]);
}
