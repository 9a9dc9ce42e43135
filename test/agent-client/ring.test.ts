import { expect, test } from 'vitest';
import { Ring } from '../../src/agent-client/ring.ts';
import { numbersFrom } from '../support/numbers-from.ts';

const random = numbersFrom(20_261_129);
const below = (count: number) => Math.floor(random() * count);
const PATTERN = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => i % 251));
/** Bytes that tell their place. */
const bytes = (from: number, count: number) => PATTERN.subarray(from % 251, (from % 251) + count);
/** Compared by the system: an expectation looks at them one by one, which takes most of a minute for all of these. */
const expectSame = (piece: Uint8Array, other: Uint8Array) => expect(Buffer.compare(piece, other)).toBe(0);

test('what goes into a ring comes out in order, and a piece stays as it is until it is dropped', () => {
  for (let round = 0; round < 100; round++) {
    const ring = new Ring();
    let [put, got] = [0, 0];
    for (let step = 0; step < 100; step++) {
      const added = below(3000);
      ring.push(new Uint8Array(bytes(put, added)));
      put += added;
      const piece = ring.peek(below(4000));
      const seen = piece.slice();
      const more = below(2000);
      ring.push(new Uint8Array(bytes(put, more)));
      put += more;
      expectSame(piece, seen);
      expectSame(piece, bytes(got, piece.byteLength));
      ring.drop(piece.byteLength);
      got += piece.byteLength;
      expect(ring.length).toBe(put - got);
    }
    while (ring.length > 0) {
      const piece = ring.peek(ring.length);
      expectSame(piece, bytes(got, piece.byteLength));
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
