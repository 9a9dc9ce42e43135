import { expect, test } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../src/wire/frames.ts';
import { numbersFrom } from '../support/numbers-from.ts';

/** Frames of a kind that comes in pieces, between others that come whole. */
const PIECES = 83;
const random = numbersFrom(20_261_129);
const below = (count: number) => Math.floor(random() * count);

interface Frame {
  readonly kind: number;
  readonly channel: number;
  payload: Buffer;
}
/** To be compared as a whole, and not byte by byte. */
const text = ({ kind, channel, payload }: Frame) => `${kind} ${channel} ${payload.toString('hex')}`;

test.each([1, 50])(
  'what comes in pieces of %d bytes or more is all there in order, however it is cut, and the rest comes whole',
  least => {
    for (let round = 0; round < 200; round++) {
      const sent = Array.from({ length: 20 }, (_, i) => ({
        kind: random() < 0.5 ? PIECES : 67,
        channel: i,
        payload: Buffer.alloc(random() < 0.2 ? 0 : below(300), i),
      }));
      const bytes = Buffer.concat(
        sent.map(({ kind, channel, payload }) => encodeFrame(kind, channel, payload)),
      );
      const decoder = new FrameDecoder(kind => (kind === PIECES ? least : 0));
      const got: Frame[] = [];
      let open = false;
      for (let at = 0; at < bytes.length; ) {
        const end = at + 1 + below(random() < 0.3 ? 6 : 200);
        // Memory of its own, as a socket gives it: what is kept of it must stay as it is.
        decoder.push(new Uint8Array(bytes.subarray(at, end)), ({ kind, channel, payload, rest }) => {
          if (open) got.at(-1)!.payload = Buffer.concat([got.at(-1)!.payload, payload]);
          else got.push({ kind, channel, payload: Buffer.from(payload) });
          expect([got.at(-1)!.kind, got.at(-1)!.channel].join()).toBe([kind, channel].join());
          open = rest > 0;
          if (kind !== PIECES) expect(rest).toBe(0);
          if (rest > 0) expect(payload.byteLength).toBeGreaterThanOrEqual(least);
        });
        at = end;
      }
      expect(got.map(text)).toEqual(sent.map(text));
    }
  },
);

test('nothing of it is held back', () => {
  const decoder = new FrameDecoder(kind => (kind === PIECES ? 1 : 0));
  const frame = encodeFrame(PIECES, 1, Buffer.alloc(100_000));
  const seen: number[] = [];
  for (let at = 0; at < frame.length; at += 1000)
    decoder.push(frame.subarray(at, at + 1000), ({ payload }) => seen.push(payload.byteLength));
  expect(seen.slice(0, 3)).toEqual([991, 1000, 1000]);
});
