import { expect, test } from 'vitest';
import { tokenBuckets } from '../../plugins/rate-limit.ts';

test('a bucket holds a second’s requests and fills up with time', () => {
  const take = tokenBuckets(2);
  expect([take('a', 0), take('a', 0)]).toEqual([0, 0]);
  expect(take('a', 0)).toBeCloseTo(0.5);
  expect(take('a', 0.6)).toBe(0);
  expect(take('a', 0.6)).toBeGreaterThan(0);
  expect(take('b', 0.6)).toBe(0);
});

test('a rate below one a second lets one through at a time', () => {
  const take = tokenBuckets(0.5);
  expect(take('a', 0)).toBe(0);
  expect(take('a', 0)).toBeCloseTo(2);
  expect(take('a', 2)).toBe(0);
});

test('clients by the ten thousand are forgotten once their bucket is full again', () => {
  const take = tokenBuckets(1);
  for (let i = 0; i < 10_000; i++) take(`client ${i}`, 0);
  take('late', 5);
  expect(take('client 0', 5)).toBe(0);
  expect(take('late', 5)).toBeGreaterThan(0);
});
