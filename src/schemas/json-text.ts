/** Deeper than anything a client has to say, and far from what a recursive walk could fail on. */
export const MAX_DEPTH = 100;

const QUOTE = 34;
const BACKSLASH = 92;

/** Parses a JSON text from outside. @throws {SyntaxError} also when it nests deeper than {@link MAX_DEPTH} */
export function parseJson(text: string): unknown {
  if (nestsTooDeep(text)) throw new SyntaxError(`nested deeper than ${MAX_DEPTH} levels`);
  return JSON.parse(text);
}

/** Counts brackets outside of strings; whether the text is JSON at all is the parser's business. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === QUOTE) i = endOfString(text, i);
    // [ and { are 91 and 123, ] and } two above each.
    else if (char === 91 || char === 123) {
      if (++depth > MAX_DEPTH) return true;
    } else if (char === 93 || char === 125) depth--;
  }
  return false;
}

/** Index of the quote that ends the string; most of a long message is skipped here at memchr's speed. */
function endOfString(text: string, start: number): number {
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
