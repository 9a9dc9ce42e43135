import { randomUUID } from 'node:crypto';
import type { JSONRPCResponse } from 'json-rpc-2.0';
import { hasControl } from '../schemas/byte-scans.ts';
import { isObject } from '../schemas/is-object.ts';
import { LongText } from '../schemas/long-text.ts';
import { release } from '../wire/release.ts';

/** Objects within an answer's result that it is looked for in, and the most names of one. */
const MOST_DEPTH = 2;
const MOST_NAMES = 32;

/**
 * Encodes an answer that is large for the sake of a few long strings, as a file's content is, which become bytes at once where nothing in them
 * has to be escaped: a third of what JSON.stringify takes, and its string. The bytes are what it would write, in UTF-8. Null for any other.
 */
export function encodeLarge(response: JSONRPCResponse): Buffer | null {
  if (!holdsLong(response.result, 0)) return null;
  const texts: (string | LongText)[] = [];
  const mark = randomUUID();
  const result = marked(response.result, mark, texts, 0);
  if (texts.length === 0) return null;
  const parts: (string | LongText)[] = [];
  let rest = JSON.stringify({ ...response, result });
  for (const [i, text] of texts.entries()) {
    const name = `${mark}${i}`;
    const at = rest.indexOf(name);
    // It writes itself.
    if (at < 0) return null;
    parts.push(rest.slice(0, at), text);
    rest = rest.slice(at + name.length);
  }
  return joined([...parts, rest]);
}

/** Whether a long string is in it: most answers have none, and are not copied. */
function holdsLong(value: unknown, depth: number): boolean {
  if (typeof value === 'string') return isLong(value);
  if (value instanceof LongText) return true;
  if (!mayHold(value, depth)) return false;
  for (const name in value) if (holdsLong(value[name], depth + 1)) return true;
  return false;
}

/** Whether it is looked into. */
function mayHold(value: unknown, depth: number): value is Record<string, unknown> {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype && depth <= MOST_DEPTH;
}

/** A copy with a mark in the place of each long string, or the value itself where it has none. */
function marked(value: unknown, mark: string, texts: (string | LongText)[], depth: number): unknown {
  if (typeof value === 'string') return isLong(value) ? `${mark}${texts.push(value) - 1}` : value;
  if (value instanceof LongText) return `${mark}${texts.push(value) - 1}`;
  if (!mayHold(value, depth)) return value;
  const names = Object.keys(value);
  if (names.length > MOST_NAMES) return value;
  const before = texts.length;
  const copy = Object.fromEntries(names.map(name => [name, marked(value[name], mark, texts, depth + 1)]));
  return texts.length > before ? copy : value;
}

/** And nothing in it is escaped, control characters aside. */
function isLong(text: string): boolean {
  return (
    text.length > LongText.LEAST_BYTES && !text.includes('\n') && !text.includes('"') && !text.includes('\\')
  );
}

/**
 * Every second part is what a string holds, and long ones are spent. Null when JSON.stringify has to write one: it escapes a surrogate without its
 * partner too.
 */
function joined(parts: readonly (string | LongText)[]): Buffer | null {
  const sizes = parts.map(part => (typeof part === 'string' ? Buffer.byteLength(part) : part.bytes.length));
  const all = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const bytes = all.subarray(at, at + sizes[i]!);
    at += bytes.length;
    if (typeof part !== 'string') bytes.set(part.bytes);
    else if (!put(part, bytes, i % 2 === 1)) return null;
  }
  for (const part of parts) if (typeof part !== 'string') release(part.whole);
  return all;
}

function put(text: string, into: Buffer, isContent: boolean): boolean {
  const isAscii = into.length === text.length;
  into.write(text, isAscii ? 'latin1' : 'utf8');
  return !isContent || (!hasControl(into) && (isAscii || text.isWellFormed()));
}
