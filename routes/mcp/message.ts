import type { FastifyRequest } from 'fastify';
import { parseJson } from '../../src/schemas/json-text.ts';
import { Refused } from './refusals.ts';

/** A message of JSON-RPC 2.0, of which the protocol's library has more to say. */
export interface Message {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: { readonly requestId?: unknown; readonly _meta?: { readonly progressToken?: unknown } };
}

export function isRequest({ id, method }: Message): boolean {
  return id !== undefined && method !== undefined;
}

/** Whether a client answers what it was asked. */
export function isAnswer(message: Message): boolean {
  return message.method === undefined && ('result' in message || 'error' in message);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @throws {Refused} for what is no message, and for batches: no revision since 2025-06-18 has them */
export function readMessage(text: string | undefined): Message {
  const value = parse(text ?? '');
  if (Array.isArray(value))
    throw new Refused(400, -32600, 'Invalid Request: batches are not taken; send each message by itself');
  if (typeof value !== 'object' || value === null)
    throw new Refused(400, -32600, 'Invalid Request: a message is an object');
  return value;
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    throw new Refused(400, -32700, `Parse error: ${(error as Error).message}`);
  }
}

/** Whether its answer is a stream that may last, because progress is told on it. There are no changes to listen to. */
export function isStream({ params }: Message): boolean {
  return params?._meta?.progressToken !== undefined;
}

/**
 * The connection that a request belongs to, by its `Mcp-Session-Id`; null without one. Any name that could be one of ours is: there is
 * nothing to have forgotten.
 * @throws {Refused} for any other, in words that have a client begin anew
 */
export function connectionOf({ headers }: FastifyRequest): string | null {
  const name = headers['mcp-session-id'];
  if (name === undefined) return null;
  if (typeof name === 'string' && UUID.test(name)) return name;
  throw new Refused(404, -32001, 'Session not found');
}
