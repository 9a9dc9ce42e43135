import { expect, test } from 'vitest';
import { JoinedBytes } from '../../src/agent-client/joined-bytes.ts';

test('pieces of all sizes are joined, whatever becomes of their memory', () => {
  const joined = new JoinedBytes();
  const expected: number[] = [];
  for (let size = 0; size < 5000; size += 37) {
    const piece = new Uint8Array(size).map((_, i) => i + size);
    expected.push(...piece);
    joined.push(piece);
    piece.fill(0);
  }
  expect([...joined.take()]).toEqual(expected);
});

test('what is taken is gone, and pieces may come again', () => {
  const joined = new JoinedBytes();
  expect(joined.take().byteLength).toBe(0);
  for (const size of [5000, 5000, 2]) joined.push(new Uint8Array(size));
  expect(joined.take().byteLength).toBe(10_002);
  joined.push(Uint8Array.of(1, 2));
  expect([...joined.take()]).toEqual([1, 2]);
});
