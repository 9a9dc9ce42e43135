import { incompleteTail } from '../events/utf8.ts';

/** The text of one stream that a reply carries: the first `maxBytes` of it, and how much there was. */
export class KeptOutput {
  readonly #maxBytes: number;
  /** Grows by doubling: a chunk kept as it came would cost a hundred times its size where programs write bytes. */
  #buffer = Buffer.alloc(0);
  #kept = 0;
  /** All that was written, kept or not. */
  bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get truncated(): boolean {
    return this.bytes > this.#kept;
  }

  add(data: Uint8Array): void {
    this.bytes += data.byteLength;
    const room = this.#maxBytes - this.#kept;
    if (room <= 0) return;
    const part = data.byteLength > room ? data.subarray(0, room) : data;
    this.#reserve(this.#kept + part.byteLength);
    this.#buffer.set(part, this.#kept);
    this.#kept += part.byteLength;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.byteLength) return;
    const larger = Buffer.alloc(Math.min(Math.max(bytes, this.#buffer.byteLength * 2), this.#maxBytes));
    larger.set(this.#buffer);
    this.#buffer = larger;
  }

  /** Bytes that are not UTF-8 read as U+FFFD; a character that truncation would cut is left out. */
  text(): string {
    const all = this.#buffer.subarray(0, this.#kept);
    return all.toString('utf8', 0, this.truncated ? this.#kept - incompleteTail(all) : this.#kept);
  }
}
