import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { ServiceError } from '../src/errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The API key's identity: never the key itself. Null while the service asks for none. */
    owner: string | null;
  }
  interface FastifyContextConfig {
    /** Answers without a key and outside the rate limit. */
    open?: boolean;
  }
}

/** Requires one of the keys on every route that is not open, if there are keys. */
export function askForKeys(app: FastifyInstance, keys: readonly string[]): void {
  const known = keys.map(digest);
  app.decorateRequest('owner', null);
  if (known.length === 0) return;
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.open) return;
    const given = keyIn(request.headers);
    const owner = given === undefined ? undefined : match(digest(given), known);
    if (owner === undefined) {
      reply.header('www-authenticate', 'Bearer');
      throw new ServiceError('UNAUTHORIZED', 'Send a valid key: Authorization: Bearer KEY, or X-API-Key');
    }
    request.owner = owner;
  });
}

function keyIn({ authorization, 'x-api-key': key }: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
  return bearer ?? (typeof key === 'string' ? key : undefined);
}

/** Compares with every key, so that timing reveals nothing. */
function match(given: Buffer, known: readonly Buffer[]): string | undefined {
  let owner: string | undefined;
  for (const each of known) if (timingSafeEqual(each, given)) owner = each.toString('hex');
  return owner;
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
