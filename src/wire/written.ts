import type { Writable } from 'node:stream';
import type { Left } from './write-frame.ts';

/** Writes bytes; resolves once they have left and their memory is the caller's again, or to false when they will not. */
export function written(to: Writable, bytes: Uint8Array): Promise<boolean> {
  return untilLeft(to, left => to.write(bytes, left));
}

/** The same of what `write` writes to it. */
export function untilLeft(to: Writable, write: (left: Left) => void): Promise<boolean> {
  return new Promise(resolve => {
    const closed = () => resolve(false);
    to.on('close', closed);
    write(error => {
      to.off('close', closed);
      resolve(!error);
    });
    if (to.closed) closed();
  });
}
