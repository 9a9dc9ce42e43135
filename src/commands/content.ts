import { isUtf8 } from 'node:buffer';
import { invalid } from '../errors.ts';
import type { Encoding } from '../schemas/execution.ts';
import { isPlain, jsonBytesOfUtf8 } from '../schemas/json-bytes.ts';

/** How many times its own bytes a text may take as JSON. Base64 takes four thirds. */
const MOST_ESCAPED = 2;

/** The bytes of a `content` field. */
export function decodeContent(content: string, encoding: Encoding, field: string): Uint8Array {
  if (encoding === 'utf8') return Buffer.from(content, 'utf8');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(content) || content.length % 4 !== 0)
    throw invalid(field, 'is not base64');
  return Buffer.from(content, 'base64');
}

export function encodeContent(data: Uint8Array, encoding: Encoding): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(encoding);
}

/** Bytes as a text; null where they are not UTF-8 or, full of control characters, several times as large in JSON as they are. */
export function asText(data: Uint8Array): string | null {
  if (!isUtf8(data)) return null;
  const text = encodeContent(data, 'utf8');
  return isPlain(text) || jsonBytesOfUtf8(data) <= MOST_ESCAPED * data.byteLength ? text : null;
}
