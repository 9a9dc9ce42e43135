import { invalid } from '../../src/errors.ts';

/** u32 transfer, u64 offset, big endian. */
const HEADER_BYTES = 12;
export const MAX_PAYLOAD_BYTES = 1024 * 1024;

/** Bytes of a transfer on their way. */
export interface DataFrame {
  readonly transfer: number;
  readonly offset: number;
  readonly payload: Buffer;
  /** What it is part of, and nothing else is. */
  readonly message: Buffer;
}

/** @throws {ServiceError} it is none */
export function readFrame(message: Buffer): DataFrame {
  if (message.byteLength < HEADER_BYTES) throw invalid('frame', `is under ${HEADER_BYTES} bytes`);
  if (message.byteLength > HEADER_BYTES + MAX_PAYLOAD_BYTES)
    throw invalid('frame', `has a payload over ${MAX_PAYLOAD_BYTES} bytes`);
  return {
    transfer: message.readUInt32BE(0),
    offset: Number(message.readBigUInt64BE(4)),
    payload: message.subarray(HEADER_BYTES),
    message,
  };
}

/** Makes the frames of one transfer in memory that is used again for each. */
export class FrameWriter {
  #memory = Buffer.alloc(0);

  /** A frame that is good until the next call. */
  write(transfer: number, offset: number, payload: Uint8Array): Buffer {
    const bytes = HEADER_BYTES + payload.byteLength;
    if (bytes > this.#memory.byteLength) this.#memory = Buffer.allocUnsafeSlow(bytes);
    const message = this.#memory.subarray(0, bytes);
    message.writeUInt32BE(transfer, 0);
    message.writeBigUInt64BE(BigInt(offset), 4);
    message.set(payload, HEADER_BYTES);
    return message;
  }
}
