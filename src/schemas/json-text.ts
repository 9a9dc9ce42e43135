import { LIMITS } from './limits.ts';

/** What a value takes beside the bytes it is written with: an empty object, or a key and what it names. */
const VALUE_BYTES = 64;

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const BACKSLASH = 92;

/**
 * Parses a JSON text from outside.
 * @throws {SyntaxError} also when it nests deeper than {@link LIMITS.jsonDepth} levels or has over {@link LIMITS.jsonValues} values,
 * names included: full of small ones, it would be many times as large in memory as it is as a text
 */
export function parseJson(text: string): unknown {
  const { depth, values } = weigh(text);
  if (depth > LIMITS.jsonDepth) throw new SyntaxError(`nested deeper than ${LIMITS.jsonDepth} levels`);
  if (values > LIMITS.jsonValues) throw new SyntaxError(`more than ${LIMITS.jsonValues} values`);
  return JSON.parse(text);
}

/**
 * What it would be to parse a text: levels of nesting, values, and roughly the bytes that these would take in memory. Whether
 * it is JSON is the parser's business.
 */
export function weigh(text: string): { depth: number; values: number; bytes: number } {
  let depth = 0;
  let deepest = 0;
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) i = endOfString(text, i);
    else if (char === COMMA || char === COLON) values++;
    // [ and { are 91 and 123, ] and } two above each.
    else if (char === 91 || char === 123) {
      values++;
      if (++depth > deepest) deepest = depth;
    } else if (char === 93 || char === 125) depth--;
  }
  return { depth: deepest, values, bytes: Buffer.byteLength(text) + values * VALUE_BYTES };
}

/** Index of the quote that ends the string; most of a long message is skipped here at memchr's speed. */
export function endOfString(text: string, start: number): number {
  let end = start;
  do {
    end = text.indexOf('"', end + 1);
    if (end < 0) return text.length;
  } while (isEscaped(text, end));
  return end;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes++;
  return slashes % 2 === 1;
}
