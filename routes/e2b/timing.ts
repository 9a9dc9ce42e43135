import type { FastifyRequest } from 'fastify';
import { RpcError } from './connect-protocol.ts';

/** Longest timeout, and time between signs of life, that clients may ask for, milliseconds. */
const MOST_MS = 7 * 24 * 3600 * 1000;
/** Shortest time between signs of life, milliseconds: each costs as much as something that is said. */
const LEAST_SILENCE_MS = 1000;

/** How long a call may take, and what it has started with it, milliseconds; undefined for as long as its sandbox. */
export function timeoutIn({ headers }: FastifyRequest): number | undefined {
  const value = headers['connect-timeout-ms'];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^\d{1,10}$/.test(value))
    throw new RpcError('invalid_argument', 'connect-timeout-ms must be milliseconds');
  return Math.min(Number(value), MOST_MS);
}

/** After so long without anything a stream is to show that it lives, milliseconds; null for never. */
export function keepaliveIn({ headers }: FastifyRequest): number | null {
  const seconds = Number(headers['keepalive-ping-interval']);
  return seconds > 0 ? Math.min(Math.max(seconds * 1000, LEAST_SILENCE_MS), MOST_MS) : null;
}
