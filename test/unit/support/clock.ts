import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, vi } from 'vitest';

/** Takes time into the test's hands: clocks stand and timers wait until `pass`. To be called once in a file. */
export function standStill(): void {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['performance', 'Date', 'setTimeout', 'setInterval', 'clearTimeout', 'clearInterval'],
      now: Date.UTC(2026, 0, 1),
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** Lets all that needs no time happen. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await turn();
}

/** Lets so many milliseconds pass, and what they bring about happen. */
export async function pass(ms: number): Promise<void> {
  await settle();
  await vi.advanceTimersByTimeAsync(ms);
  await settle();
}
