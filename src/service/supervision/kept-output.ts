import { incompleteTail } from '../events/utf8.ts';

/** Room that many share. */
export interface OutputRoom {
  /** False when there is none for so many bytes. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

/** The text of one stream that a reply carries: the first `maxBytes` of it, and how much there was. */
export class KeptOutput {
  #maxBytes: number;
  readonly #room: OutputRoom | undefined;
  /** Grows by doubling: a chunk kept as it came would cost a hundred times its size where programs write bytes. */
  #buffer = Buffer.alloc(0);
  #kept = 0;
  /** All that was written, kept or not. */
  bytes = 0;

  /** Where `room` has none left, no more is kept, as if there had been more than `maxBytes`. */
  constructor(maxBytes: number, room?: OutputRoom) {
    this.#maxBytes = maxBytes;
    this.#room = room;
  }

  get truncated(): boolean {
    return this.bytes > this.#kept;
  }

  add(data: Uint8Array): void {
    this.bytes += data.byteLength;
    const room = this.#maxBytes - this.#kept;
    if (room <= 0) return;
    const part = data.byteLength > room ? data.subarray(0, room) : data;
    if (!this.#reserve(this.#kept + part.byteLength)) {
      this.#maxBytes = this.#kept;
      return;
    }
    this.#buffer.set(part, this.#kept);
    this.#kept += part.byteLength;
  }

  #reserve(bytes: number): boolean {
    const before = this.#buffer.byteLength;
    if (bytes <= before) return true;
    const after = Math.min(Math.max(bytes, before * 2), this.#maxBytes);
    if (this.#room && !this.#room.take(after - before)) return false;
    const larger = Buffer.alloc(after);
    larger.set(this.#buffer);
    this.#buffer = larger;
    return true;
  }

  /** Gives the room back; nothing is kept any more. */
  close(): void {
    this.#room?.give(this.#buffer.byteLength);
    this.#buffer = Buffer.alloc(0);
    this.#kept = 0;
    this.#maxBytes = 0;
  }

  /** Bytes that are not UTF-8 read as U+FFFD; a character that truncation would cut is left out. */
  text(): string {
    const all = this.#buffer.subarray(0, this.#kept);
    return all.toString('utf8', 0, this.truncated ? this.#kept - incompleteTail(all) : this.#kept);
  }
}
