import { incompleteTail } from './utf8.ts';

/** The text of one stream that a reply carries: the first `maxBytes` of it, and how much there was. */
export class KeptOutput {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
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
    this.#chunks.push(part);
    this.#kept += part.byteLength;
  }

  /** Bytes that are not UTF-8 read as U+FFFD; a character that truncation would cut is left out. */
  text(): string {
    const all = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks);
    const end = this.truncated ? all.byteLength - incompleteTail(all) : all.byteLength;
    return Buffer.from(all.buffer, all.byteOffset, end).toString('utf8');
  }
}
