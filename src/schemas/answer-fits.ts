import { jsonBytes } from './json-bytes.ts';
import { LongText } from './long-text.ts';

/** Bytes counted for a number, for a name's quotes and for separators. */
const VALUE_BYTES = 8;
/** Most bytes of JSON that one character of a text takes. */
const MOST_OF_CHARACTER = 6;

type Weigh = (text: string) => number;

/**
 * Whether a value as JSON has about `most` bytes or fewer, decided before the JSON is built. A value that is too
 * large is not walked to its end, and the characters of one that fits in any case are not looked at.
 */
export function answerFits(value: unknown, most: number): boolean {
  const characters = most / MOST_OF_CHARACTER;
  return weigh(value, characters, text => text.length) <= characters || answerBytes(value, most) <= most;
}

/** Bytes of a value as JSON, about; of one that has more than `most`, some number over that. */
export function answerBytes(value: unknown, most: number): number {
  return weigh(value, most, jsonBytes);
}

/** Stops once it is over `most`. */
function weigh(value: unknown, most: number, ofText: Weigh): number {
  if (typeof value === 'string') return VALUE_BYTES + (value.length > most ? value.length : ofText(value));
  if (value instanceof LongText) return VALUE_BYTES + value.bytes.length;
  if (typeof value !== 'object' || value === null) return VALUE_BYTES;
  let bytes = VALUE_BYTES;
  if (Array.isArray(value)) {
    for (const item of value) {
      bytes += weigh(item, most - bytes, ofText);
      if (bytes > most) break;
    }
    return bytes;
  }
  for (const name of Object.keys(value)) {
    bytes += VALUE_BYTES + ofText(name);
    bytes += weigh((value as Record<string, unknown>)[name], most - bytes, ofText);
    if (bytes > most) break;
  }
  return bytes;
}
