import type { JSONRPCErrorResponse, JSONRPCID, JSONRPCRequest, JSONRPCResponse } from 'json-rpc-2.0';
import { parseJson } from '../schemas/json-text.ts';
import { LIMITS } from '../schemas/limits.ts';
import { release } from '../wire/release.ts';
import { LARGE_BYTES } from '../wire/turns.ts';
import { restoreIds } from './exact-ids.ts';
import { parseLarge } from './large-message.ts';

/**
 * The envelope of JSON-RPC 2.0 (https://www.jsonrpc.org/specification, sections 4 to 7). Read by hand,
 * because the library that dispatches fails two of the specification's examples.
 */

export const PARSE_ERROR = failure(null, -32700, 'Parse error');

/** One message, a text or its UTF-8, whose memory is spent then → its JSON values, each a request or a batch; null when it is not JSON. */
export function readMessage(message: string | Buffer): unknown[] | null {
  if (typeof message === 'string') return readText(message);
  const large = message.length > LARGE_BYTES ? parseLarge(message) : null;
  const text = large ? '' : message.toString('utf8');
  if (!large?.keeps) release(message);
  return large ? [large.value] : readText(text);
}

function readText(text: string): unknown[] | null {
  try {
    return [parse(text)];
  } catch {
    return readLines(text);
  }
}

function parse(text: string): unknown {
  const value = parseJson(text);
  restoreIds(text, value);
  return value;
}

/** Reads a message in which every line is a JSON text of its own. */
function readLines(text: string): unknown[] | null {
  if (!text.trim().includes('\n')) return null;
  const values: unknown[] = [];
  let requests = 0;
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start);
    const line = text.slice(start, end < 0 ? text.length : end).trim();
    start = end < 0 ? text.length : end + 1;
    if (line === '') continue;
    try {
      const value = parse(line);
      requests += Array.isArray(value) ? value.length : 1;
      if (requests > LIMITS.batchRequests) return null;
      values.push(value);
    } catch {
      return null;
    }
  }
  return values;
}

/** The request, or the error to answer it with. */
export function readRequest(value: unknown): JSONRPCRequest | JSONRPCErrorResponse {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return invalidRequest(null);
  const { jsonrpc, method, params, id } = value as Record<string, unknown>;
  if (id !== undefined && !isId(id)) return invalidRequest(null);
  const structured = params === undefined || (typeof params === 'object' && params !== null);
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !structured) return invalidRequest(id ?? null);
  return value as JSONRPCRequest;
}

export function isRequest(read: JSONRPCRequest | JSONRPCErrorResponse): read is JSONRPCRequest {
  return 'method' in read;
}

/** To all but JSON.stringify and {@link idKey}, an id as raw JSON is one more number. */
export function isId(id: unknown): id is JSONRPCID {
  return id === null || typeof id === 'string' || Number.isFinite(id) || JSON.isRawJSON(id);
}

export function invalidRequest(id: JSONRPCID): JSONRPCErrorResponse {
  return failure(id, -32600, 'Invalid Request');
}

export function failure(
  id: JSONRPCID,
  code: number,
  message: string,
  data?: Record<string, unknown>,
): JSONRPCErrorResponse {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data && { data }) } };
}

/** The text of an answer; one too long for a string becomes an error. */
export function encode(response: JSONRPCResponse): string {
  try {
    return JSON.stringify(response);
  } catch {
    return JSON.stringify(failure(response.id, -32603, 'Internal error', { code: 'INTERNAL_ERROR' }));
  }
}
