import { randomUUID } from 'node:crypto';
import type { JSONRPCResponse } from 'json-rpc-2.0';
import { isObject } from '../schemas/is-object.ts';
import { hasControl } from '../wire/byte-scans.ts';

/** A string in an answer that is longer than this is written by itself, characters. */
const LONG_CHARACTERS = 64 * 1024;
/** Objects within an answer's result that it is looked for in, and the most names of one. */
const MOST_DEPTH = 2;
const MOST_NAMES = 32;

/**
 * Encodes an answer that is large for the sake of a few long strings, as a file's content is, which become bytes at once where nothing in them
 * has to be escaped: a third of what JSON.stringify takes, and its string. The bytes are what it would write, in UTF-8. Null for any other.
 */
export function encodeLarge(response: JSONRPCResponse): Buffer | null {
  const texts: string[] = [];
  const mark = randomUUID();
  const result = marked(response.result, mark, texts, 0);
  if (texts.length === 0) return null;
  const parts: string[] = [];
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

/** A copy with a mark in the place of each long string, or the value itself where it has none. */
function marked(value: unknown, mark: string, texts: string[], depth: number): unknown {
  if (typeof value === 'string') return isLong(value) ? `${mark}${texts.push(value) - 1}` : value;
  if (!isObject(value) || Object.getPrototypeOf(value) !== Object.prototype || depth > MOST_DEPTH)
    return value;
  const names = Object.keys(value);
  if (names.length > MOST_NAMES) return value;
  const before = texts.length;
  const copy = Object.fromEntries(names.map(name => [name, marked(value[name], mark, texts, depth + 1)]));
  return texts.length > before ? copy : value;
}

/** And nothing in it is escaped, control characters aside. */
function isLong(text: string): boolean {
  return text.length > LONG_CHARACTERS && !text.includes('\n') && !text.includes('"') && !text.includes('\\');
}

/** Every second part is what a string holds. Null when JSON.stringify has to write one: it escapes a surrogate without its partner too. */
function joined(parts: readonly string[]): Buffer | null {
  const sizes = parts.map(part => Buffer.byteLength(part));
  const all = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const isAscii = sizes[i] === part.length;
    const bytes = all.subarray(at, at + sizes[i]!);
    at += bytes.length;
    bytes.write(part, isAscii ? 'latin1' : 'utf8');
    if (i % 2 === 1 && (hasControl(bytes) || !(isAscii || part.isWellFormed()))) return null;
  }
  return all;
}
