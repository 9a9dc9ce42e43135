import { expect, test } from 'vitest';
import { release } from '../../src/wire/release.ts';

test('memory that is all of some bytes is given back at once', () => {
  const bytes = Buffer.allocUnsafeSlow(1 << 20);
  const before = process.memoryUsage().arrayBuffers;
  release(bytes);
  expect(before - process.memoryUsage().arrayBuffers).toBeGreaterThan(1 << 19);
  expect(bytes.byteLength).toBe(0);
});

test.each([
  ['is shared with other bytes', () => Buffer.alloc(1 << 20).subarray(1)],
  ['is shared with other threads', () => new Uint8Array(new SharedArrayBuffer(1 << 20))],
  ['is of Node’s pool', () => Buffer.from('x'.repeat(100))],
])('memory that %s stays', (_, make) => {
  const bytes = make();
  const { byteLength } = bytes;
  release(bytes);
  expect(bytes.byteLength).toBe(byteLength);
});
