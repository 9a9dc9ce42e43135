import { invalid } from '../errors.ts';
import type { Encoding } from '../schemas/execution.ts';

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
