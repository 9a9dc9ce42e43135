import { isUtf8 } from 'node:buffer';

/** One piece of output as a notification carries it. */
export type Piece = { readonly text: string } | { readonly data: string };

/**
 * Splits a stream of bytes into pieces that never cut a multibyte character. What is not UTF-8 comes as base64.
 * Up to three bytes are held back for the next call.
 */
export class Utf8Splitter {
  #held: Uint8Array = new Uint8Array(0);

  push(data: Uint8Array): Piece | null {
    const bytes = this.#held.byteLength ? Buffer.concat([this.#held, data]) : data;
    const whole = bytes.byteLength - incompleteTail(bytes);
    this.#held = bytes.slice(whole);
    return piece(bytes.subarray(0, whole));
  }

  /** The bytes held back, at the end of the stream. */
  end(): Piece | null {
    const rest = this.#held;
    this.#held = new Uint8Array(0);
    return piece(rest);
  }
}

export function piece(bytes: Uint8Array): Piece | null {
  if (bytes.byteLength === 0) return null;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? { text: buffer.toString('utf8') } : { data: buffer.toString('base64') };
}

/** Bytes at the end that begin a character without completing it, 0 to 3. */
export function incompleteTail(bytes: Uint8Array): number {
  const last = bytes.byteLength;
  for (let back = 1; back <= Math.min(3, last); back++) {
    const byte = bytes[last - back]!;
    if ((byte & 0xc0) === 0x80) continue;
    return lengthFrom(byte) > back ? back : 0;
  }
  return 0;
}

/** Bytes of the character that starts with this byte. */
function lengthFrom(lead: number): number {
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  if (lead >= 0xe0) return lead < 0xf0 ? 3 : 1;
  return lead >= 0xc2 ? 2 : 1;
}
