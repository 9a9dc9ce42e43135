/** Bytes that one byte of UTF-8 takes in a JSON string, at most. */
export const MOST_BYTES_OF_ONE = 6;
/**
 * Bytes that each byte of UTF-8 takes in a JSON string (RFC 8259, section 7): most control characters take six,
 * as in \u0001.
 */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, code) =>
  '"\\\b\f\n\r\t'.includes(String.fromCharCode(code)) ? 2 : code < 0x20 ? MOST_BYTES_OF_ONE : 1,
);

/** Bytes of a text as a JSON string in UTF-8, without its quotes. A surrogate without its partner is escaped. */
export function jsonBytes(text: string): number {
  let bytes = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) bytes += ESCAPED[code]!;
    else if (code < 0x800) bytes += 2;
    else if (code < 0xd800 || code > 0xdfff) bytes += 3;
    else if (code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 4;
      i++;
    } else bytes += 6;
  }
  return bytes;
}

/** The same of a text that is still in UTF-8. */
export function jsonBytesOfUtf8(data: Uint8Array): number {
  let bytes = 0;
  for (let i = 0; i < data.byteLength; i++) bytes += ESCAPED[data[i]!]!;
  return bytes;
}

/** Control characters but those of white space: each takes six bytes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const LONG = /[\0-\x07\x0b\x0e-\x1f]/;

/** Whether no character of a text takes more than twice its bytes in JSON: the engine looks for others several at once. */
export function isPlain(text: string): boolean {
  return !LONG.test(text);
}
