import { release } from '../wire/release.ts';

/** Most bytes that are set aside for pieces to come. */
const BLOCK_BYTES = 1024 * 1024;

/** Bytes that come in pieces. They are copied, into blocks that grow with what is there, and joined once. */
export class JoinedBytes {
  #blocks: Buffer[] = [];
  /** Filled bytes of the last block. */
  #filled = 0;
  #length = 0;

  push(piece: Uint8Array): void {
    for (let at = 0; at < piece.byteLength; ) {
      let block = this.#blocks.at(-1);
      if (!block || this.#filled === block.byteLength) {
        const rest = piece.byteLength - at;
        block = Buffer.allocUnsafe(Math.max(rest, Math.min(this.#length, BLOCK_BYTES)));
        this.#blocks.push(block);
        this.#filled = 0;
      }
      const part = piece.subarray(at, at + block.byteLength - this.#filled);
      block.set(part, this.#filled);
      this.#filled += part.byteLength;
      this.#length += part.byteLength;
      at += part.byteLength;
    }
  }

  /** All of them; the memory of the pieces is given back. */
  take(): Buffer {
    const blocks = this.#blocks;
    const [first] = blocks;
    const whole =
      blocks.length === 1 && first?.byteLength === this.#length ? first : Buffer.concat(blocks, this.#length);
    this.#blocks = [];
    this.#length = 0;
    for (const block of blocks) if (block !== whole) release(block);
    return whole;
  }
}
