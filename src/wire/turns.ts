/** How long what is large has the event loop at a time, milliseconds. */
const SLICE_MS = 1;
/** What was read at once and is more than this is large, bytes: its turn is to come before more is read. */
export const LARGE_BYTES = 16 * 1024;

const waiting: (() => void)[] = [];
/** A turn is being given, or will be. */
let isActive = false;
let begunAt = 0;

/**
 * Resolves when the caller may do the next piece of something large. Pieces are done in the order they were asked for, some of them between
 * two looks at what else has come: the event loop would otherwise take all that has come of all that is large before it looks again.
 */
export function turn(): Promise<void> {
  return new Promise(resolve => {
    waiting.push(resolve);
    if (isActive) return;
    isActive = true;
    setImmediate(begin);
  });
}

function begin(): void {
  begunAt = performance.now();
  give();
}

function give(): void {
  waiting.shift()?.();
  // Behind all that this one does at once: promises that are there come first, and then what they lead to.
  queueMicrotask(() => process.nextTick(goOn));
}

function goOn(): void {
  if (waiting.length === 0) isActive = false;
  else if (performance.now() - begunAt < SLICE_MS) give();
  else setImmediate(begin);
}
