const HEX = Buffer.from('0123456789abcdef', 'latin1');
const BACKSLASH = 92;
const LETTER_U = 117;
/** Bytes of a character that is escaped: a backslash, `u` and four digits. */
const ESCAPED = 6;

/** A text of JSON in ASCII: what is none is escaped. By hand, as a program's output has millions of characters. */
export function asciiText(text: string): Buffer {
  if (Buffer.byteLength(text) === text.length) return Buffer.from(text, 'latin1');
  let others = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) others++;
  const bytes = Buffer.allocUnsafe(text.length + (ESCAPED - 1) * others);
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit <= 0x7f) {
      bytes[at++] = unit;
      continue;
    }
    bytes[at++] = BACKSLASH;
    bytes[at++] = LETTER_U;
    for (let shift = 12; shift >= 0; shift -= 4) bytes[at++] = HEX[(unit >> shift) & 0xf]!;
  }
  return bytes;
}
