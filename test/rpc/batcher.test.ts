import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Batcher } from '../../src/rpc/batcher.ts';

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

test('many begin in order, with batcher for others in between, and what comes later begins later', async () => {
  const batcher = new Batcher();
  const begun: number[] = [];
  const begin = async (value: number) => {
    begun.push(value);
  };
  const first = batcher.run(range(0, 100), begin);
  expect(begun.length).toBeLessThan(20);
  const rest = [batcher.one(100, begin), batcher.run(range(101, 200), begin), batcher.one(200, begin)];
  await setImmediate();
  expect(begun.length).toBeLessThan(60);
  await Promise.all([first, ...rest]);
  expect(begun).toEqual(range(0, 201));
});

test('few begin at once, and a failure is told when all have begun', async () => {
  const batcher = new Batcher();
  const begun: number[] = [];
  const failing = batcher.run(range(0, 50), async value => {
    begun.push(value);
    if (value === 3) throw new Error('three');
  });
  await expect(failing).rejects.toThrow('three');
  expect(begun).toEqual(range(0, 50));
  void batcher.one(50, async value => void begun.push(value));
  expect(begun.at(-1)).toBe(50);
});
