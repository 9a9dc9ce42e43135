import { randomUUID } from 'node:crypto';
import { isObject } from '../schemas/is-object.ts';
import { parseJson } from '../schemas/json-text.ts';
import { LongText, mustBeEscaped } from '../schemas/long-text.ts';
import { restoreIds } from './exact-ids.ts';

/** Strings of a message that are looked at, and most bytes of what is left of it: one with more is full of small values. */
const MOST_STRINGS = 1000;
const MOST_LEFT_BYTES = 256 * 1024;
/** Quotes in one string that are searched for. */
const MOST_SEARCHES = 100;

const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const WHITE_SPACE: readonly number[] = [9, 10, 13, 32];

/** Places of a string's quotes. */
interface Place {
  readonly start: number;
  readonly end: number;
}

/**
 * Parses a message that is large for the sake of a few long strings, as a file's content is: each is read by itself, which is several times as
 * fast as JSON.parse where nothing in it is escaped. The message is valid UTF-8. Null for any other, which has to be read as usual, bad JSON included.
 * `keeps`: the value has a {@link LongText} in the message's memory, which is that one's from then on.
 */
export function parseLarge(message: Buffer): { value: unknown; keeps: boolean } | null {
  const places = longStrings(message);
  if (!places) return null;
  const mark = randomUUID();
  let left = '';
  let from = 0;
  for (const [i, { start, end }] of places.entries()) {
    left += `${message.toString('utf8', from, start + 1)}${mark}${i}`;
    from = end;
    if (left.length > MOST_LEFT_BYTES) return null;
  }
  if (message.length - from > MOST_LEFT_BYTES) return null;
  left += message.toString('utf8', from, message.length);
  try {
    const value = parseJson(left);
    restoreIds(left, value);
    const [place] = places;
    const command = places.length === 1 && writtenBy(value);
    if (command && command.content === `${mark}0` && keepLong(command, message, place!))
      return { value, keeps: true };
    const texts = places.map(place => stringAt(message, place));
    return { value: filled(value, mark, texts), keeps: false };
  } catch {
    return null;
  }
}

/** Null where there is none, or too much else. */
function longStrings(message: Buffer): Place[] | null {
  const places: Place[] = [];
  let looked = 0;
  for (let start = message.indexOf(QUOTE); start >= 0; looked++) {
    if (looked === MOST_STRINGS) return null;
    const end = endOfString(message, start);
    if (end < 0) return null;
    if (end - start > LongText.LEAST_BYTES && !isName(message, end)) places.push({ start, end });
    start = message.indexOf(QUOTE, end + 1);
  }
  return places.length > 0 ? places : null;
}

function endOfString(message: Buffer, start: number): number {
  let end = message.indexOf(QUOTE, start + 1);
  for (let escaped = 0; end >= 0 && isEscaped(message, end); escaped++) {
    // Of text that is full of them: to look for each takes longer than to look at every byte.
    if (escaped === MOST_SEARCHES) return endByBytes(message, end + 1);
    end = message.indexOf(QUOTE, end + 1);
  }
  return end;
}

function endByBytes(message: Buffer, from: number): number {
  for (let at = from; at < message.length; at++) {
    const byte = message[at];
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) at++;
  }
  return -1;
}

function isEscaped(message: Buffer, at: number): boolean {
  let slashes = 0;
  while (message[at - 1 - slashes] === BACKSLASH) slashes++;
  return slashes % 2 === 1;
}

function isName(message: Buffer, end: number): boolean {
  let next = end + 1;
  // With more white space than that too much is left of the message.
  while (next - end < MOST_LEFT_BYTES && WHITE_SPACE.includes(message[next]!)) next++;
  return message[next] === COLON;
}

/** The command of a request that writes a file of a text; null for all else. */
function writtenBy(value: unknown): Record<string, unknown> | null {
  if (!isObject(value) || value.method !== 'session.execute' || !isObject(value.params)) return null;
  const { command } = value.params;
  const writes =
    isObject(command) && command.type === 'write_file' && (command.encoding ?? 'utf8') === 'utf8';
  return writes ? command : null;
}

function keepLong(command: Record<string, unknown>, message: Buffer, { start, end }: Place): boolean {
  const bytes = message.subarray(start + 1, end);
  if (mustBeEscaped(bytes)) return false;
  command.content = new LongText(bytes, message);
  return true;
}

/** @throws {SyntaxError} */
function stringAt(message: Buffer, { start, end }: Place): string {
  const bytes = message.subarray(start + 1, end);
  // What is escaped, and what may not be there at all.
  if (mustBeEscaped(bytes)) return JSON.parse(message.toString('utf8', start, end + 1));
  return bytes.toString('utf8');
}

/** The value with the texts in their places. */
function filled(value: unknown, mark: string, texts: readonly string[]): unknown {
  if (typeof value === 'string')
    return value.startsWith(mark) ? texts[Number(value.slice(mark.length))] : value;
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value;
  for (const [name, inner] of Object.entries(value)) {
    const now = filled(inner, mark, texts);
    // By definition, not by assignment: `__proto__` is a name like any other.
    if (now !== inner)
      Object.defineProperty(value, name, {
        value: now,
        enumerable: true,
        writable: true,
        configurable: true,
      });
  }
  return value;
}
