import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ServiceError } from '../src/errors.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The API key's identity: never the key itself. Null while the service asks for none. */
    owner: string | null;
  }
  interface FastifyContextConfig {
    /** Answers without a key and outside the rate limit. */
    open?: boolean;
    /** Answers without a key too: its path holds a ticket, which its handler checks. */
    ticket?: boolean;
    /** Answers the operators' keys, once clients or operators need one. */
    operators?: boolean;
  }
}

/** A subprotocol that is a key. */
const OFFERED = /^codebeaker\.key\.([\w-]+)$/;

/** The keys that are asked for, as digests. */
export class Keys {
  readonly clients: readonly Buffer[];
  readonly operators: readonly Buffer[];

  constructor({ apiKeys, metricsKeys }: { apiKeys: readonly string[]; metricsKeys: readonly string[] }) {
    this.clients = apiKeys.map(digest);
    this.operators = metricsKeys.map(digest);
  }

  /** The identity of the client whose key a request carries. */
  ownerOf(headers: IncomingHttpHeaders): string | undefined {
    const key = keyIn(headers);
    return key === undefined ? undefined : match(digest(key), this.clients);
  }

  /** Whether a header's value is a key, with or without a word such as Bearer before it, or offers one as a subprotocol. */
  holds(value: string): boolean {
    const words = value.trim().split(/\s+/);
    const isKey = (key: string) => match(digest(key), [...this.clients, ...this.operators]) !== undefined;
    if (words.length <= 2 && isKey(words.at(-1) ?? '')) return true;
    const offered = value.split(',').map(protocol => OFFERED.exec(protocol.trim())?.[1]);
    return offered.some(encoded => encoded !== undefined && isKey(decoded(encoded)));
  }
}

/** Requires a key on every route that is not open: one of the clients', or of the operators' on their routes. */
export function askForKeys(app: FastifyInstance, { clients, operators }: Keys): void {
  app.decorateRequest('owner', null);
  const identify = (request: FastifyRequest, reply: FastifyReply): void => {
    const { open, ticket, operators: theirs = false } = request.routeOptions.config;
    const asked = clients.length > 0 || (theirs && operators.length > 0);
    if (open || !asked) return;
    const key = keyIn(request.headers) ?? (request.ws ? keyOffered(request.headers) : undefined);
    if (ticket && key === undefined) return;
    const given = key === undefined ? undefined : digest(key);
    const owner = given && match(given, theirs ? operators : clients);
    if (owner !== undefined) {
      // What operators read belongs to nobody.
      if (!theirs) request.owner = owner;
      return;
    }
    if (theirs && given && match(given, clients) !== undefined)
      throw new ServiceError('FORBIDDEN', 'This is for the operator: send one of CODEBEAKER_METRICS_KEYS');
    reply.header('www-authenticate', 'Bearer');
    throw new ServiceError('UNAUTHORIZED', 'Send a valid key: Authorization: Bearer KEY, or X-API-Key');
  };
  app.addHook('onRequest', (request, reply, done) => {
    identify(request, reply);
    done();
  });
}

/** Jupyter's clients call it `token`; Judge0's send theirs as X-Auth-Token. */
function keyIn(headers: IncomingHttpHeaders): string | undefined {
  const bearer = /^(?:Bearer|token) +(\S+) *$/i.exec(headers.authorization ?? '')?.[1];
  const key = headers['x-api-key'] ?? headers['x-auth-token'];
  return bearer ?? (typeof key === 'string' ? key : undefined);
}

/**
 * A web page can set no header of a WebSocket but its subprotocols: it offers `codebeaker`, which is chosen, and behind that its key. Only here, and
 * not where programs of sandboxes are reached, to which subprotocols are passed on.
 */
function keyOffered({ 'sec-websocket-protocol': offered }: IncomingHttpHeaders): string | undefined {
  const encoded = /^codebeaker *, *codebeaker\.key\.([\w-]+) *$/.exec(offered ?? '')?.[1];
  return encoded && decoded(encoded);
}

const decoded = (encoded: string) => Buffer.from(encoded, 'base64url').toString();

/** Compares with every key, so that timing reveals nothing. */
function match(given: Buffer, known: readonly Buffer[]): string | undefined {
  let owner: string | undefined;
  for (const each of known) if (timingSafeEqual(each, given)) owner = each.toString('hex');
  return owner;
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
