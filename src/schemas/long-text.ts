import { hasControl } from './byte-scans.ts';

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * A long text that has stayed UTF-8, with nothing in it that JSON escapes: as a string, ten megabytes take several passes over them and have V8
 * walk its whole heap. Only where it says so may one stand for a string.
 */
export class LongText {
  /** Shorter ones are strings, bytes. */
  static readonly LEAST_BYTES = 64 * 1024;
  readonly bytes: Buffer;
  /** All of the memory that the bytes lie in, which is to be given back (src/wire/release.ts) when nobody looks at them any more. */
  readonly whole: Uint8Array;

  constructor(bytes: Buffer, whole: Uint8Array) {
    this.bytes = bytes;
    this.whole = whole;
  }

  /** Valid UTF-8 as one; null where it is short, or has to be escaped. */
  static of(utf8: Uint8Array): LongText | null {
    const bytes = Buffer.from(utf8.buffer, utf8.byteOffset, utf8.byteLength);
    if (bytes.length < LongText.LEAST_BYTES || mustBeEscaped(bytes)) return null;
    return new LongText(bytes, utf8);
  }

  toJSON(): string {
    return this.bytes.toString('utf8');
  }
}

/** Whether UTF-8 is not as it would stand in a string of JSON. */
export function mustBeEscaped(bytes: Buffer): boolean {
  return hasControl(bytes) || bytes.includes(QUOTE) || bytes.includes(BACKSLASH);
}
