import { afterEach, beforeAll, expect, test, vi } from 'vitest';

/** Of its own: what others of this process did has another clock. */
const OF_ITS_OWN = '?of-its-own';
let turn: typeof import('../../src/wire/turns.ts').turn;
beforeAll(async () => {
  ({ turn } = await import(`../../src/wire/turns.ts${OF_ITS_OWN}`));
});
afterEach(() => vi.unstubAllGlobals());

test('pieces of what is large are done in order, some of them between two looks at what else has come', async () => {
  let now = 0;
  vi.stubGlobal('performance', { now: () => now });
  const log: (number | string)[] = [];
  const pieces = Array.from({ length: 10 }, async (_, i) => {
    const wait = turn();
    if (wait) await wait;
    log.push(i);
    now += 0.1;
  });
  expect(log).toEqual([0, 1, 2]);
  for (let i = 0; i < 3; i++) {
    await new Promise<void>(resolve => setImmediate(resolve));
    log.push('look');
  }
  await Promise.all(pieces);
  expect(log).toEqual([0, 1, 2, 3, 4, 5, 'look', 6, 7, 8, 'look', 9, 'look']);
  // Nothing has waited since the last look.
  await new Promise<void>(resolve => setImmediate(resolve));
  expect(turn()).toBeUndefined();
});
