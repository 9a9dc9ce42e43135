import { expect, test } from 'vitest';
import { Ring } from '../../src/agent-client/ring.ts';
import { numbersFrom } from '../support/numbers-from.ts';

const random = numbersFrom(20_261_129);
const below = (count: number) => Math.floor(random() * count);

test('what goes into a ring comes out in order, and a piece stays as it is until it is dropped', () => {
  for (let round = 0; round < 100; round++) {
    const ring = new Ring();
    let [put, got] = [0, 0];
    /** Bytes that tell their place. */
    const bytes = (from: number, count: number) =>
      Uint8Array.from({ length: count }, (_, i) => (from + i) % 251);
    for (let step = 0; step < 100; step++) {
      const added = below(3000);
      ring.push(bytes(put, added));
      put += added;
      const piece = ring.peek(below(4000));
      const seen = piece.slice();
      const more = below(2000);
      ring.push(bytes(put, more));
      put += more;
      expect(piece).toEqual(seen);
      expect(piece).toEqual(bytes(got, piece.byteLength));
      ring.drop(piece.byteLength);
      got += piece.byteLength;
      expect(ring.length).toBe(put - got);
    }
    while (ring.length > 0) {
      const piece = ring.peek(ring.length);
      expect(piece).toEqual(bytes(got, piece.byteLength));
      ring.drop(piece.byteLength);
      got += piece.byteLength;
    }
    expect(got).toBe(put);
  }
});

test('its memory is used again as long as no more waits than before', () => {
  const ring = new Ring();
  const memory = new Set<ArrayBufferLike>();
  for (let i = 0; i < 1000; i++) {
    ring.push(new Uint8Array(700));
    memory.add(ring.peek(1).buffer);
    ring.drop(ring.peek(700).byteLength);
    ring.drop(ring.length);
  }
  expect(memory.size).toBe(1);
});
