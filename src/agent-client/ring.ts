const FIRST_BYTES = 1024;

/**
 * Bytes in the order they came, in one buffer that is used around and around. It grows to the most that waits at once: what keeps that
 * bounded bounds it.
 */
export class Ring {
  #buffer = new Uint8Array(0);
  #from = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies bytes behind those that are there. */
  push(bytes: Uint8Array): void {
    const needed = this.#length + bytes.byteLength;
    if (needed > this.#buffer.byteLength) this.#grow(needed);
    const size = this.#buffer.byteLength;
    const at = (this.#from + this.#length) % size;
    const before = Math.min(bytes.byteLength, size - at);
    this.#buffer.set(before < bytes.byteLength ? bytes.subarray(0, before) : bytes, at);
    if (before < bytes.byteLength) this.#buffer.set(bytes.subarray(before), 0);
    this.#length = needed;
  }

  /** What came first, as much of it as lies in one piece; it stays as it is until it is dropped. */
  peek(most: number): Uint8Array {
    const bytes = Math.min(most, this.#length, this.#buffer.byteLength - this.#from);
    return this.#buffer.subarray(this.#from, this.#from + bytes);
  }

  /** Forgets so many of the first. */
  drop(bytes: number): void {
    this.#length -= bytes;
    this.#from = this.#length === 0 ? 0 : (this.#from + bytes) % this.#buffer.byteLength;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.#buffer.byteLength, FIRST_BYTES));
    const before = this.peek(this.#length);
    larger.set(before);
    larger.set(this.#buffer.subarray(0, this.#length - before.byteLength), before.byteLength);
    this.#buffer = larger;
    this.#from = 0;
  }
}
