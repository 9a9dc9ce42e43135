import { afterAll, beforeAll, expect, test, vi } from 'vitest';

/** Of its own: what others of this process did has another clock. */
const OF_ITS_OWN = '?of-its-own';
let turns: typeof import('../../../src/wire/turns.ts');
beforeAll(async () => {
  turns = await import(`../../../src/wire/turns.ts${OF_ITS_OWN}`);
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'setImmediate'] });
});
afterAll(() => {
  vi.useRealTimers();
});

/** Whether the next piece of something large has its turn within so long, milliseconds. */
async function hasTurnWithin(milliseconds: number): Promise<boolean> {
  let has = false;
  void Promise.resolve(turns.turn()).then(() => {
    has = true;
  });
  await vi.advanceTimersByTimeAsync(milliseconds);
  return has;
}

test('what is large stands back for what has just come, and no longer', async () => {
  await vi.advanceTimersByTimeAsync(100);
  expect(await hasTurnWithin(0)).toBe(true);
  await vi.advanceTimersByTimeAsync(100);
  turns.standBack();
  expect(await hasTurnWithin(2)).toBe(false);
  await vi.advanceTimersByTimeAsync(2);
  expect(await hasTurnWithin(0)).toBe(true);
});

test('however often something comes, what is large has its part of the time', async () => {
  let had = 0;
  for (let i = 0; i < 100; i++) {
    turns.standBack();
    void Promise.resolve(turns.turn()).then(() => had++);
    await vi.advanceTimersByTimeAsync(1);
  }
  await vi.advanceTimersByTimeAsync(0);
  expect(had).toBeGreaterThan(95);
});
