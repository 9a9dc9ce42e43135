import type { StreamName } from '../../sandbox.ts';

/** Output within so many milliseconds of an event is held back, and becomes one event when they are over. */
const WINDOW_MS = 5;
/** Turns of the event loop that the first output after silence waits for what is written right behind it. */
const TURNS = 2;
/** Held bytes that leave at once. */
const MAX_HELD_BYTES = 32 * 1024;
/** Bytes that a change between the streams counts for in addition to its output. */
const SEGMENT_BYTES = 64;

/** Bytes that one stream wrote without the other in between. */
class Segment {
  readonly stream: StreamName;
  #buffer: Uint8Array;
  #length: number;

  /** Keeps `data`, which its owner must not change. */
  constructor(stream: StreamName, data: Uint8Array) {
    this.stream = stream;
    this.#buffer = data;
    this.#length = data.byteLength;
  }

  /** Grows by doubling, because programs may write single bytes. */
  add(data: Uint8Array): void {
    const length = this.#length + data.byteLength;
    if (length > this.#buffer.byteLength) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#buffer.byteLength));
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(data, this.#length);
    this.#length = length;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

/**
 * Joins what a run writes in quick succession, keeping the order of its streams. The first output after silence leaves within
 * the same turns of the event loop, further output after at most {@link WINDOW_MS}. Nothing is scheduled while nothing is held.
 */
export class Coalescer {
  readonly #emit: (stream: StreamName, data: Uint8Array) => void;
  #segments: Segment[] = [];
  #heldBytes = 0;
  #flushedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #turn: NodeJS.Immediate | undefined;

  constructor(emit: (stream: StreamName, data: Uint8Array) => void) {
    this.#emit = emit;
  }

  add(stream: StreamName, data: Uint8Array): void {
    const last = this.#segments.at(-1);
    if (last?.stream === stream) last.add(data);
    else {
      this.#segments.push(new Segment(stream, data));
      this.#heldBytes += SEGMENT_BYTES;
    }
    this.#heldBytes += data.byteLength;
    if (this.#heldBytes >= MAX_HELD_BYTES) this.flush();
    else if (!this.#timer && !this.#turn) this.#schedule();
  }

  /** Emits what is held. */
  flush(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#turn);
    this.#timer = undefined;
    this.#turn = undefined;
    const segments = this.#segments;
    if (segments.length === 0) return;
    this.#segments = [];
    this.#heldBytes = 0;
    this.#flushedAt = performance.now();
    for (const segment of segments) this.#emit(segment.stream, segment.bytes());
  }

  #schedule(): void {
    const left = this.#flushedAt + WINDOW_MS - performance.now();
    if (left > 0) this.#timer = setTimeout(() => this.flush(), left);
    else this.#after(TURNS);
  }

  #after(turns: number): void {
    this.#turn = setImmediate(() => (turns > 1 ? this.#after(turns - 1) : this.flush()));
  }
}
