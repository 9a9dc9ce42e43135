import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../src/errors.ts';

/** Clients remembered at once; beyond that, those that have been quiet are forgotten. */
const MAX_CLIENTS = 10_000;

/** Lets a client's request in. @throws {ServiceError} RATE_LIMITED with the seconds to wait */
export type Admit = (request: FastifyRequest) => void;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Its requests are counted one by one by the JSON-RPC door, not as one HTTP request. */
    countsItself?: boolean;
  }
}

/** A client is a key, or an address where there are no keys. Undefined when no rate is set. */
export function limitRate(app: FastifyInstance, rate: number | undefined): Admit | undefined {
  if (rate === undefined) return undefined;
  const take = tokenBuckets(rate);
  const admit: Admit = request => {
    const wait = take(request.owner ?? request.ip, performance.now() / 1000);
    if (wait > 0) {
      throw new ServiceError('RATE_LIMITED', `More than ${rate} requests a second`, { retryAfter: wait });
    }
  };
  app.addHook('onRequest', async request => {
    const { open, countsItself } = request.routeOptions.config;
    if (!open && !countsItself) admit(request);
  });
  return admit;
}

/** Token buckets of one second's requests each, at least one; returns seconds to wait, 0 when a token was taken. */
export function tokenBuckets(rate: number): (client: string, now: number) => number {
  const size = Math.max(1, rate);
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (client, now) => {
    const { tokens, at } = buckets.get(client) ?? { tokens: size, at: now };
    const left = Math.min(size, tokens + (now - at) * rate);
    // Most recently seen last, so that the first ones are the ones to forget.
    buckets.delete(client);
    buckets.set(client, { tokens: left >= 1 ? left - 1 : left, at: now });
    if (buckets.size > MAX_CLIENTS) forgetFull(buckets, size, rate, now);
    return left >= 1 ? 0 : (1 - left) / rate;
  };
}

/** Drops the oldest whose bucket has filled up again; one that has not keeps its debt. */
function forgetFull(
  buckets: Map<string, { tokens: number; at: number }>,
  size: number,
  rate: number,
  now: number,
): void {
  for (const [client, { tokens, at }] of buckets) {
    if (tokens + (now - at) * rate < size) return;
    buckets.delete(client);
  }
}
