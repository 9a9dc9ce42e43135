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

/** Of a WebSocket's frame (RFC 6455, 5.2): FIN and the opcode of binary messages, and what says that a longer length follows. */
const FIN_BINARY = 0x82;
const LENGTH_OF_16_BITS = 126;
const LENGTH_OF_64_BITS = 127;

/** What comes before a payload on the bare connection: the header of the WebSocket's message, as a server's in the shortest form, and ours. */
export function messageHeader(transfer: number, offset: number, payloadBytes: number): Buffer {
  const bytes = HEADER_BYTES + payloadBytes;
  const lengthBytes = bytes < LENGTH_OF_16_BITS ? 0 : bytes < 2 ** 16 ? 2 : 8;
  const header = Buffer.allocUnsafe(2 + lengthBytes + HEADER_BYTES);
  header[0] = FIN_BINARY;
  header[1] = lengthBytes === 0 ? bytes : lengthBytes === 2 ? LENGTH_OF_16_BITS : LENGTH_OF_64_BITS;
  if (lengthBytes === 2) header.writeUInt16BE(bytes, 2);
  if (lengthBytes === 8) header.writeBigUInt64BE(BigInt(bytes), 2);
  header.writeUInt32BE(transfer, 2 + lengthBytes);
  header.writeBigUInt64BE(BigInt(offset), 2 + lengthBytes + 4);
  return header;
}
