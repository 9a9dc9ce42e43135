import type { Encoding } from '../../schemas/execution.ts';
import { incompleteTail } from '../events/utf8.ts';

/** A shared budget of bytes. */
export interface OutputRoom {
  /** Returns false when the bytes don't fit. */
  take(bytes: number): boolean;
  give(bytes: number): void;
}

const NOTHING = Buffer.alloc(0);

/** The first `maxBytes` of a stream, as a reply carries them, and the stream's total length. */
export class KeptOutput {
  #maxBytes: number;
  readonly #room: OutputRoom | undefined;
  /**
   * Grows by doubling: keeping each chunk would cost a hundred times its size when a program writes single
   * bytes.
   */
  #buffer = NOTHING;
  #kept = 0;
  /** All that was written, kept or not. */
  bytes = 0;

  /** When `room` is used up the output is truncated, as it is after `maxBytes`. */
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

  /** Gives the room back and discards the output. */
  close(): void {
    this.#room?.give(this.#buffer.byteLength);
    this.#buffer = NOTHING;
    this.#kept = 0;
    this.#maxBytes = 0;
  }

  /** What was kept, until `close`. For UTF-8, a character cut by truncation is left out. */
  content(encoding: Encoding = 'utf8'): Buffer {
    const all = this.#buffer.subarray(0, this.#kept);
    const cut = encoding === 'utf8' && this.truncated ? incompleteTail(all) : 0;
    return all.subarray(0, this.#kept - cut);
  }
}
