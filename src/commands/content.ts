import { isUtf8 } from 'node:buffer';
import { invalid } from '../errors.ts';
import { hasControl } from '../schemas/byte-scans.ts';
import type { Encoding } from '../schemas/execution.ts';
import { isPlain, jsonBytesOfUtf8 } from '../schemas/json-bytes.ts';
import { LongText } from '../schemas/long-text.ts';

/** How many times its own bytes a text may take as JSON. Base64 takes four thirds. */
const MOST_ESCAPED = 2;

/** The bytes of a `content` field. */
export function decodeContent(given: string | LongText, encoding: Encoding, field: string): Uint8Array {
  if (given instanceof LongText && encoding === 'utf8') return given.bytes;
  // It was kept before its command was read, whose encoding may have come by an older name.
  const content = given instanceof LongText ? given.toJSON() : given;
  const isAscii = Buffer.byteLength(content) === content.length;
  // As one byte each, which is several times as fast.
  if (encoding === 'utf8') return Buffer.from(content, isAscii ? 'latin1' : 'utf8');
  const data = Buffer.from(content, 'base64');
  // What does not belong there is left out by the decoder, which takes base64url as well.
  const isWhole = data.byteLength === (content.length / 4) * 3 - paddingOf(content);
  if (!isAscii || !isWhole || content.includes('-') || content.includes('_'))
    throw invalid(field, 'is not base64');
  return data;
}

function paddingOf(base64: string): number {
  return base64.endsWith('==') ? 2 : Number(base64.endsWith('='));
}

export function encodeContent(data: Uint8Array, encoding: Encoding): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString(encoding);
}

/** Bytes as a text; null where they are not UTF-8 or, full of control characters, several times as large in JSON as they are. */
export function asText(data: Uint8Array): string | null {
  if (!isUtf8(data)) return null;
  const text = encodeContent(data, 'utf8');
  return !hasControl(data) || isPlain(text) || jsonBytesOfUtf8(data) <= MOST_ESCAPED * data.byteLength
    ? text
    : null;
}
