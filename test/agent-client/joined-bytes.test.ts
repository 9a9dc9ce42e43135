import { expect, test } from 'vitest';
import { JoinedBytes } from '../../src/agent-client/joined-bytes.ts';

test('pieces of all sizes are joined, whatever becomes of their memory, and nothing beside them is kept', () => {
  const joined = new JoinedBytes();
  const expected: number[] = [];
  for (let size = 0; size < 5000; size += 37) {
    const piece = new Uint8Array(size).map((_, i) => i + size);
    expected.push(...piece);
    joined.push(piece);
    piece.fill(0);
  }
  const bytes = joined.bytes();
  expect([...bytes]).toEqual(expected);
  expect(bytes.buffer.byteLength).toBe(bytes.byteLength);
});

test('what is cleared is gone, and pieces may come again', () => {
  const joined = new JoinedBytes();
  joined.push(new Uint8Array(5000));
  joined.clear();
  joined.push(Uint8Array.of(1, 2));
  expect([...joined.bytes()]).toEqual([1, 2]);
});
