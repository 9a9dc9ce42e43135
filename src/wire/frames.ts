import { MAX_FRAME_BYTES } from './messages.ts';

/** Length, kind and channel. */
export const HEADER_BYTES = 9;
const LENGTH_BYTES = 4;
/** A buffer for an incomplete frame that is larger than this is not kept for the next one. */
const KEPT_BYTES = 4096;

export interface Frame {
  readonly kind: number;
  readonly channel: number;
  /** Valid while `onFrame` runs; of a kind whose least piece is 1 for as long as the bytes that were pushed. */
  readonly payload: Uint8Array;
  /** Bytes of the same frame that are still to come; only of a kind that comes in pieces. */
  readonly rest: number;
}

/** One frame as bytes; see messages.ts for the layout. @throws {RangeError} it is over {@link MAX_FRAME_BYTES} */
export function encodeFrame(kind: number, channel: number, payload: Uint8Array): Uint8Array {
  const frame = emptyFrame(kind, channel, payload.byteLength);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/** From Buffer's pool: a small typed array of its own costs more in garbage than all the rest of a frame. */
function emptyFrame(kind: number, channel: number, payloadBytes: number): Buffer {
  const length = HEADER_BYTES - LENGTH_BYTES + payloadBytes;
  if (length > MAX_FRAME_BYTES) throw new RangeError(`a frame of ${length} bytes`);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + length);
  writeHeader(frame, 0, kind, channel, payloadBytes);
  return frame;
}

/** The {@link HEADER_BYTES} before a payload. */
export function writeHeader(
  into: Uint8Array,
  at: number,
  kind: number,
  channel: number,
  payloadBytes: number,
): void {
  putNumber(into, at, HEADER_BYTES - LENGTH_BYTES + payloadBytes);
  into[at + 4] = kind;
  putNumber(into, at + 5, channel);
}

function putNumber(into: Uint8Array, at: number, value: number): void {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
}

export function encodeNumber(kind: number, channel: number, value: number): Uint8Array {
  const frame = emptyFrame(kind, channel, 4);
  putNumber(frame, HEADER_BYTES, value);
  return frame;
}

/** @throws {Error} the payload is not four bytes */
export function decodeNumber(payload: Uint8Array): number {
  if (payload.byteLength !== 4) throw new Error('a number has four bytes');
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

/**
 * Cuts a byte stream into frames. Frames that arrive whole are not copied; of one that does not, every byte is copied
 * once or twice, however small the pieces are, and memory is taken only for what has arrived. Frames of kinds that come in pieces are
 * never copied: what has come of one is given on at once.
 */
export class FrameDecoder {
  readonly #leastPiece: (kind: number) => number;
  /** The beginning of an incomplete frame. */
  #held = new Uint8Array(0);
  #length = 0;
  /** What has begun to come in pieces. */
  #open: { kind: number; channel: number; rest: number; least: number } | null = null;

  /** `leastPiece`: bytes of a piece of this kind, but for a frame's last, so that nobody makes many of few bytes; 0: it comes whole. */
  constructor(leastPiece: (kind: number) => number = () => 0) {
    this.#leastPiece = leastPiece;
  }

  /** Calls `onFrame` for every frame that these bytes complete. @throws {Error} on a frame of impossible length */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void): void {
    let at = this.#open
      ? this.#goOn(bytes, 0, onFrame)
      : this.#length > 0
        ? this.#complete(bytes, onFrame)
        : 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    while (bytes.byteLength - at >= LENGTH_BYTES) {
      const end = at + LENGTH_BYTES + frameLength(view, at);
      if (end > bytes.byteLength) {
        if (!this.#opens(bytes, view, at, end)) break;
        at = this.#goOn(bytes, at + HEADER_BYTES, onFrame);
        continue;
      }
      onFrame(frameAt(bytes, view, at, end));
      at = end;
    }
    this.#hold(bytes, at, bytes.byteLength - at);
  }

  /** Begins with a frame whose header is there, if it comes in pieces. */
  #opens(bytes: Uint8Array, view: DataView, at: number, end: number): boolean {
    if (bytes.byteLength - at < HEADER_BYTES) return false;
    const { kind, channel } = frameAt(bytes, view, at, at + HEADER_BYTES);
    const least = this.#leastPiece(kind);
    if (least === 0) return false;
    this.#open = { kind, channel, rest: end - at - HEADER_BYTES, least };
    return true;
  }

  /** Gives on what there is of the frame that has begun; returns where it ends. */
  #goOn(bytes: Uint8Array, at: number, onFrame: (frame: Frame) => void): number {
    const open = this.#open!;
    const least = Math.min(open.least, open.rest);
    if (this.#length > 0 || bytes.byteLength - at < least) {
      const from = at + this.#hold(bytes, at, least - this.#length);
      if (this.#length < least) return from;
      this.#give(this.#held.subarray(0, least), onFrame);
      return this.#open ? this.#goOn(bytes, from, onFrame) : from;
    }
    const payload = bytes.subarray(at, at + open.rest);
    this.#give(payload, onFrame);
    return at + payload.byteLength;
  }

  #give(payload: Uint8Array, onFrame: (frame: Frame) => void): void {
    const { kind, channel, rest } = this.#open!;
    const left = rest - payload.byteLength;
    this.#open = left > 0 ? { ...this.#open!, rest: left } : null;
    this.#length = 0;
    if (payload.byteLength > 0) onFrame({ kind, channel, payload, rest: left });
  }

  /** Adds what the held frame lacks; returns how many bytes that took. */
  #complete(bytes: Uint8Array, onFrame: (frame: Frame) => void): number {
    let at = this.#hold(bytes, 0, HEADER_BYTES - this.#length);
    if (this.#length < LENGTH_BYTES) return at;
    const header = new DataView(this.#held.buffer);
    const whole = LENGTH_BYTES + frameLength(header, 0);
    if (this.#length < HEADER_BYTES) return at;
    if (whole > HEADER_BYTES && this.#opens(this.#held, header, 0, whole)) {
      this.#length = 0;
      return this.#goOn(bytes, at, onFrame);
    }
    at += this.#hold(bytes, at, whole - this.#length);
    if (this.#length < whole) return at;
    const held = this.#held;
    this.#length = 0;
    if (held.byteLength > KEPT_BYTES) this.#held = new Uint8Array(0);
    onFrame(frameAt(held, new DataView(held.buffer), 0, whole));
    return at;
  }

  /** Copies up to `count` bytes from `from` on; returns how many there were. */
  #hold(bytes: Uint8Array, from: number, count: number): number {
    const taken = Math.max(0, Math.min(count, bytes.byteLength - from));
    if (taken === 0) return 0;
    const needed = this.#length + taken;
    if (needed > this.#held.byteLength) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#held.byteLength));
      larger.set(this.#held.subarray(0, this.#length));
      this.#held = larger;
    }
    this.#held.set(bytes.subarray(from, from + taken), this.#length);
    this.#length = needed;
    return taken;
  }
}

function frameLength(view: DataView, at: number): number {
  const length = view.getUint32(at, true);
  if (length < HEADER_BYTES - LENGTH_BYTES || length > MAX_FRAME_BYTES)
    throw new Error(`a frame of ${length} bytes`);
  return length;
}

function frameAt(bytes: Uint8Array, view: DataView, at: number, end: number): Frame {
  return {
    kind: view.getUint8(at + 4),
    channel: view.getUint32(at + 5, true),
    payload: bytes.subarray(at + HEADER_BYTES, end),
    rest: 0,
  };
}
