import type { Writable } from 'node:stream';

/** Writes bytes; resolves once they have left and their memory is the caller's again, or to false when they will not. */
export function written(to: Writable, bytes: Uint8Array): Promise<boolean> {
  return new Promise(resolve => {
    const closed = () => resolve(false);
    to.on('close', closed);
    to.write(bytes, error => {
      to.off('close', closed);
      resolve(!error);
    });
    if (to.closed) closed();
  });
}
