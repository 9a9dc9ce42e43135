import type { LookUp } from './dialer.ts';

/**
 * Looks up so many names at once, and the next when one has been answered, however long that takes: a name that nobody waits for any more
 * keeps its place, since what looks it up is busy still.
 */
export function atMost(places: number, lookUp: LookUp): LookUp {
  const waiting: (() => void)[] = [];
  let free = places;
  const leave = () => {
    const next = waiting.shift();
    if (next) next();
    else free++;
  };
  return async name => {
    if (free > 0) free--;
    else await new Promise<void>(resolve => waiting.push(resolve));
    try {
      return await lookUp(name);
    } finally {
      leave();
    }
  };
}
