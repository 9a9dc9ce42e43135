import { release } from '../wire/release.ts';

/** Bytes that come in pieces, copied into one buffer that grows by its own size: memory that is outgrown is given back at once. */
export class JoinedBytes {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  push(piece: Uint8Array): void {
    const needed = this.#length + piece.byteLength;
    if (needed > this.#buffer.byteLength) this.#move(Math.max(needed, 2 * this.#buffer.byteLength));
    this.#buffer.set(piece, this.#length);
    this.#length = needed;
  }

  /** All of them, and no memory beside; nothing may be added after that. */
  bytes(): Buffer {
    if (this.#length < this.#buffer.byteLength) this.#move(this.#length);
    return this.#buffer;
  }

  clear(): void {
    this.#length = 0;
    this.#move(0);
  }

  #move(size: number): void {
    const before = this.#buffer;
    this.#buffer = Buffer.allocUnsafe(size);
    this.#buffer.set(before.subarray(0, this.#length));
    release(before);
  }
}
