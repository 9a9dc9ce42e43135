/** How long what is large has the event loop at a time, milliseconds. */
const SLICE_MS = 0.25;
/** What was read at once and is more than this is large, bytes: its turn is to come before more is read. */
export const LARGE_BYTES = 16 * 1024;

/** How long what is large stands back for what has just come, milliseconds, and how often at most: of the time it always has the rest. */
const STAND_BACK_MS = 3;
const STAND_BACK_EVERY_MS = 5;

const waiting: (() => void)[] = [];
/** Those that wait are being given their turns, or will be. */
let isActive = false;
/** When what is large had something first since what else has come was looked at. */
let begunAt = 0;
let isBegun = false;
/** When it need no longer stand back, and when it may have to again. */
let standsBackUntil = 0;
let standsBackAgain = 0;

/**
 * What has come is small and somebody waits for it: while it is on its way through a sandbox, which takes the cores as well, what is large
 * asks for nothing.
 */
export function standBack(): void {
  const now = performance.now();
  if (now < standsBackAgain) return;
  standsBackUntil = now + STAND_BACK_MS;
  standsBackAgain = now + STAND_BACK_EVERY_MS;
}

/**
 * Undefined when the caller may do the next piece of something large at once; otherwise resolves when it may. Those that wait have their turns
 * in the order they asked, some of them between two looks at what else has come: the event loop would otherwise take all that has come of
 * all that is large before it looks again.
 */
export function turn(): Promise<void> | undefined {
  if (!isActive && !isUsedUp() && performance.now() >= standsBackUntil) return undefined;
  return new Promise(resolve => {
    waiting.push(resolve);
    if (isActive) return;
    isActive = true;
    setImmediate(begin);
  });
}

function isUsedUp(): boolean {
  const now = performance.now();
  if (!isBegun) beginAt(now);
  return now - begunAt >= SLICE_MS;
}

function beginAt(now: number): void {
  begunAt = now;
  if (isBegun) return;
  isBegun = true;
  // No reason to look at once, as another one would be.
  setImmediate(() => {
    isBegun = false;
  }).unref();
}

function begin(): void {
  const now = performance.now();
  if (now < standsBackUntil) return void setTimeout(begin, Math.ceil(standsBackUntil - now));
  beginAt(now);
  give();
}

function give(): void {
  waiting.shift()?.();
  // Behind all that this one does at once: promises that are there come first, and then what they lead to.
  queueMicrotask(() => process.nextTick(goOn));
}

function goOn(): void {
  if (waiting.length === 0) isActive = false;
  else if (isUsedUp()) setImmediate(begin);
  else give();
}
