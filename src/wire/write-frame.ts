import type { Writable } from 'node:stream';
import { HEADER_BYTES, writeHeader } from './frames.ts';

/** Called when bytes have left and their memory is the caller's again, or with why they will not. What is destroyed may never say so. */
export type Left = (error?: Error | null) => void;

/** Writes a frame without copying its payload. */
export function writeFrame(
  to: Writable,
  [kind, channel]: readonly [kind: number, channel: number],
  payload: Uint8Array,
  left: Left,
): void {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  writeHeader(header, 0, kind, channel, payload.byteLength);
  writeBehind(to, header, payload, left);
}

/** Writes bytes behind a header in one system call, without copying them. */
export function writeBehind(to: Writable, header: Uint8Array, payload: Uint8Array, left: Left): void {
  to.cork();
  to.write(header);
  to.write(payload, left);
  to.uncork();
}
