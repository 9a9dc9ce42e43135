import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ServiceError } from '../src/errors.ts';

/** Most clients remembered; beyond that, idle ones are dropped. */
const MAX_CLIENTS = 10_000;

/** Counts a client's request. @throws {ServiceError} RATE_LIMITED with the seconds to wait */
export type Admit = (request: FastifyRequest) => void;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set for a route whose door counts each request itself, instead of one per HTTP request. */
    countsItself?: boolean;
  }
}

/** Limits requests per client: a key, or an address without keys. Returns undefined when no rate is set. */
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

/**
 * Token buckets holding one second's requests, at least one. The returned function takes a token and returns
 * 0, or the seconds to wait.
 */
export function tokenBuckets(rate: number): (client: string, now: number) => number {
  const size = Math.max(1, rate);
  const buckets = new Map<string, { tokens: number; at: number }>();
  return (client, now) => {
    const { tokens, at } = buckets.get(client) ?? { tokens: size, at: now };
    const left = Math.min(size, tokens + (now - at) * rate);
    // Keeps the map in order of last use.
    buckets.delete(client);
    buckets.set(client, { tokens: left >= 1 ? left - 1 : left, at: now });
    if (buckets.size > MAX_CLIENTS) forgetFull(buckets, size, rate, now);
    return left >= 1 ? 0 : (1 - left) / rate;
  };
}

/** Drops the oldest clients whose buckets are full again; others must keep their debt. */
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
