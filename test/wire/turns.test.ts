import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { turn } from '../../src/wire/turns.ts';

let now = 1e6;
beforeEach(() => {
  now += 1e6;
  vi.stubGlobal('performance', { now: () => now });
});
afterEach(() => vi.unstubAllGlobals());

const look = () => new Promise<void>(resolve => setImmediate(resolve));

/** Asks for turns, each used for so long; resolves to their numbers with `look` where what else has come was looked at. */
async function done(count: number, eachMs: number, looks: number): Promise<(number | 'look')[]> {
  const log: (number | 'look')[] = [];
  const pieces = Array.from({ length: count }, async (_, i) => {
    await turn();
    log.push(i);
    now += eachMs;
  });
  for (let i = 0; i < looks; i++) {
    await look();
    log.push('look');
  }
  await Promise.all(pieces);
  return log;
}

test('pieces of what is large are done in order, some of them between two looks at what else has come', async () => {
  expect(await done(6, 0.5, 3)).toEqual([0, 1, 'look', 2, 3, 'look', 4, 5, 'look']);
  expect(await done(3, 10, 3)).toEqual([0, 'look', 1, 'look', 2, 'look']);
});
