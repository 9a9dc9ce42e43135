import { MAX_FRAME_BYTES } from './messages.ts';

/** Length, kind and channel. */
export const HEADER_BYTES = 9;

export interface Frame {
  readonly kind: number;
  readonly channel: number;
  /** Valid until the next call of the decoder. */
  readonly payload: Uint8Array;
}

/** One frame as bytes; see messages.ts for the layout. */
export function encodeFrame(kind: number, channel: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.byteLength);
  const view = new DataView(frame.buffer);
  view.setUint32(0, HEADER_BYTES - 4 + payload.byteLength, true);
  view.setUint8(4, kind);
  view.setUint32(5, channel, true);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

export function encodeJson(kind: number, channel: number, message: unknown): Uint8Array {
  return encodeFrame(kind, channel, encoder.encode(JSON.stringify(message)));
}

/** @throws {Error} the payload is not JSON in UTF-8 */
export function decodeJson(payload: Uint8Array): unknown {
  return JSON.parse(decoder.decode(payload));
}

export function encodeNumber(kind: number, channel: number, value: number): Uint8Array {
  const payload = new Uint8Array(4);
  new DataView(payload.buffer).setUint32(0, value, true);
  return encodeFrame(kind, channel, payload);
}

/** @throws {Error} the payload is not four bytes */
export function decodeNumber(payload: Uint8Array): number {
  if (payload.byteLength !== 4) throw new Error('a number has four bytes');
  return new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
}

/**
 * Cuts a byte stream into frames. Holds at most one incomplete frame, so at most {@link MAX_FRAME_BYTES}.
 */
export class FrameDecoder {
  #held = new Uint8Array(0);
  #length = 0;

  /** Calls `onFrame` for every frame that these bytes complete. @throws {Error} on a frame of impossible length */
  push(bytes: Uint8Array, onFrame: (frame: Frame) => void): void {
    let input = bytes;
    if (this.#length > 0) {
      input = this.#join(bytes);
      this.#length = 0;
    }
    const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
    let at = 0;
    while (input.byteLength - at >= 4) {
      const length = view.getUint32(at, true);
      if (length < HEADER_BYTES - 4 || length > MAX_FRAME_BYTES)
        throw new Error(`a frame of ${length} bytes`);
      if (input.byteLength - at < 4 + length) break;
      onFrame({
        kind: view.getUint8(at + 4),
        channel: view.getUint32(at + 5, true),
        payload: input.subarray(at + HEADER_BYTES, at + 4 + length),
      });
      at += 4 + length;
    }
    this.#hold(input.subarray(at));
  }

  #join(bytes: Uint8Array): Uint8Array {
    const joined = new Uint8Array(this.#length + bytes.byteLength);
    joined.set(this.#held.subarray(0, this.#length));
    joined.set(bytes, this.#length);
    return joined;
  }

  #hold(rest: Uint8Array): void {
    this.#held = rest.byteLength ? rest.slice() : this.#held;
    this.#length = rest.byteLength;
  }
}
