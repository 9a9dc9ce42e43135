import type { Writable } from 'node:stream';

/** Resolves when there is room again, or will never be: what was closed before it is asked says neither. */
export function drained(to: Writable): Promise<void> {
  return new Promise(resolve => {
    const over = () => {
      to.off('drain', over);
      to.off('close', over);
      resolve();
    };
    to.on('drain', over);
    to.on('close', over);
    if (to.destroyed) over();
  });
}
