import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { withNamedShapes } from '../src/schemas/named.ts';
import { VERSION } from '../src/version.ts';

const KEY = "One of the server's keys, where its operator has set some; either header is enough";

/** The page's, to which it leads back. */
const ICON = join(import.meta.dirname, '../routes/page/icon.svg');

type Json = Record<string, unknown>;

/** OpenAPI 3.1 from the routes' own schemas, and Swagger UI at /docs where every operation can be tried. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'CodeBeaker',
        version: VERSION,
        description:
          'Runs untrusted code. Sessions that keep state, live output and pipelining come over JSON-RPC 2.0 on ' +
          '/ws/jsonrpc: see /openrpc.json. Each answer has an X-Request-Id: the one of the request, or a new one.',
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'execution', description: 'One-shot runs' },
        { name: 'session', description: 'Sandboxes that keep files and interpreters' },
        { name: 'files', description: 'Files of a session, of any size' },
        { name: 'language', description: 'What can be run here' },
        { name: 'rpc', description: 'JSON-RPC 2.0 over HTTP' },
        { name: 'health', description: 'How the service is' },
      ],
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', description: KEY },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: KEY },
        },
      },
      // Keys are optional in the contract: they are required only where the operator set some.
      security: [{}, { bearer: [] }, { apiKey: [] }],
    },
    transform: ({ schema, url }) => ({ schema: withNamedRest(schema), url: url.replace(/\*$/, ':path') }),
    transformObject: documents =>
      'openapiObject' in documents
        ? withNamedShapes(documents.openapiObject as object as Json)
        : documents.swaggerObject,
  });
  const open = { config: { open: true }, schema: { hide: true } };
  app.get('/openapi.json', open, async () => app.swagger());
  const icon = { type: 'image/svg+xml', content: await readFile(ICON) };
  await app.register(async pages => {
    // A page can't send a key when it is opened; what is tried on it sends the one that was put in there.
    pages.addHook('onRoute', route => {
      route.config = { ...route.config, open: true };
    });
    await pages.register(swaggerUi, {
      routePrefix: '/docs',
      // Allows nothing from other origins. Swagger UI uses inline styles; no upgrade to HTTPS, which the
      // service does not speak.
      staticCSP:
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'",
      logo: { ...icon, href: '/', target: '_self' },
      theme: {
        title: 'CodeBeaker: REST API',
        favicon: [{ ...icon, filename: 'icon.svg', rel: 'icon', sizes: 'any' }],
      },
      uiConfig: { docExpansion: 'list', persistAuthorization: true, validatorUrl: null },
    });
  });
}

/** The rest of a path, which a route calls `*`, is `path` in the contract. */
function withNamedRest<S extends FastifySchema>(schema: S): S {
  const { params } = schema as { params?: { properties?: Json; required?: string[] } };
  const { '*': rest, ...properties } = params?.properties ?? {};
  if (!rest) return schema;
  const required = params?.required?.map(name => (name === '*' ? 'path' : name));
  return { ...schema, params: { ...params, properties: { ...properties, path: rest }, required } };
}
