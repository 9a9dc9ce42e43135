import { isUtf8 } from 'node:buffer';

/**
 * How a file name that is no UTF-8 is spelled in a text, reversibly. A byte that belongs to no character is `\\x` and two lowercase
 * hexadecimal digits, e.g. `caf\\xe9`. Where a name has a backslash that would be read as the beginning of such a byte, the
 * backslash is `\\x5c`. Every other name is spelled as it is. No such spelling means a slash or NUL.
 */
const ESCAPE = /\\x([89a-f][0-9a-f]|5c)/g;
const AMBIGUOUS = /\\(?=x(?:[89a-f][0-9a-f]|5c))/g;
const LONGEST_CHARACTER = 4;

/** The bytes that a path's text means. */
export function pathBytes(text: string): Buffer {
  if (!text.includes('\\x')) return Buffer.from(text, 'utf8');
  const parts: Buffer[] = [];
  let from = 0;
  for (const { 0: spelled, 1: digits = '', index } of text.matchAll(ESCAPE)) {
    parts.push(Buffer.from(text.slice(from, index), 'utf8'), Buffer.of(Number.parseInt(digits, 16)));
    from = index + spelled.length;
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(from), 'utf8')]);
}

/** The text that means these bytes. */
export function pathText(bytes: Buffer): string {
  if (isUtf8(bytes)) return unambiguous(bytes);
  let text = '';
  let from = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    const length = characterLength(bytes, at);
    if (length === 0) {
      text += `${unambiguous(bytes.subarray(from, at))}\\x${bytes[at]!.toString(16)}`;
      from = at + 1;
    }
    at += length || 1;
  }
  return text + unambiguous(bytes.subarray(from));
}

function unambiguous(bytes: Buffer): string {
  return bytes.toString('utf8').replace(AMBIGUOUS, '\\x5c');
}

/** Bytes of the character that begins there; 0 where none does. */
function characterLength(bytes: Buffer, at: number): number {
  if (bytes[at]! < 0x80) return 1;
  for (let length = 2; length <= LONGEST_CHARACTER; length++)
    if (at + length <= bytes.byteLength && isUtf8(bytes.subarray(at, at + length))) return length;
  return 0;
}
