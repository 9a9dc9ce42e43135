import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { standBack, turn } from '../../../src/wire/turns.ts';

beforeAll(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'setImmediate'] });
});
afterAll(() => {
  vi.useRealTimers();
});

/** Whether the next piece of something large has its turn within so long, milliseconds. */
async function hasTurnWithin(milliseconds: number): Promise<boolean> {
  let has = false;
  void Promise.resolve(turn()).then(() => {
    has = true;
  });
  await vi.advanceTimersByTimeAsync(milliseconds);
  return has;
}

test('what is large stands back for what has just come, and no longer', async () => {
  await vi.advanceTimersByTimeAsync(100);
  expect(await hasTurnWithin(0)).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  standBack();
  expect(await hasTurnWithin(2)).toBe(false);
  await vi.advanceTimersByTimeAsync(2);
  expect(await hasTurnWithin(0)).toBe(true);
});

test('however often something comes, what is large has its part of the time', async () => {
  let turns = 0;
  for (let i = 0; i < 100; i++) {
    standBack();
    void Promise.resolve(turn()).then(() => turns++);
    await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(0);
  expect(turns).toBeGreaterThan(95);
});
