const TILDE = 0x7e;
const DOT = 0x2e;
const LINE_ENDS = [0x0d, 0x0a];

/**
 * Looks for `~.` at the beginning of a line among what is typed, as ssh does. A tilde that may begin it is held back until the next key;
 * `~~` types one.
 */
export class Escape {
  #isLineStart = true;
  #hasTilde = false;

  /** What is to be sent of it, and whether its rest asks to leave. */
  take(typed: Uint8Array): { send: Uint8Array; leaves: boolean } {
    const send: number[] = [];
    for (const byte of typed) {
      if (this.#hasTilde) {
        this.#hasTilde = false;
        if (byte === DOT) return { send: Uint8Array.from(send), leaves: true };
        if (byte !== TILDE) send.push(TILDE);
      } else if (this.#isLineStart && byte === TILDE) {
        this.#hasTilde = true;
        continue;
      }
      send.push(byte);
      this.#isLineStart = LINE_ENDS.includes(byte);
    }
    return { send: Uint8Array.from(send), leaves: false };
  }
}
