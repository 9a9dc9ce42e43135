import { expect, test } from 'vitest';
import {
  decodeNumber,
  encodeFrame,
  encodeNumber,
  FrameDecoder,
  HEADER_BYTES,
} from '../../src/wire/frames.ts';
import { MAX_FRAME_BYTES } from '../../src/wire/messages.ts';

const LARGEST = MAX_FRAME_BYTES - (HEADER_BYTES - 4);

/** Numbers between 0 and 1, the same in every run. */
function* random(): Generator<number, never> {
  for (let state = 12345; ; ) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield state / 2 ** 32;
  }
}

interface Seen {
  readonly kind: number;
  readonly channel: number;
  readonly payload: Buffer;
}

function decode(pieces: Iterable<Uint8Array>, decoder = new FrameDecoder()): Seen[] {
  const seen: Seen[] = [];
  for (const piece of pieces) {
    // Each piece is wiped after its push, as a buffer that is used again would be.
    const copy = new Uint8Array(piece);
    decoder.push(copy, ({ kind, channel, payload }) =>
      seen.push({ kind, channel, payload: Buffer.from(new Uint8Array(payload)) }),
    );
    copy.fill(0xee);
  }
  return seen;
}

/** Cuts bytes at odd places. */
function* cut(bytes: Uint8Array, most: number, numbers: Generator<number, never>): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; ) {
    const end = at + 1 + Math.floor(numbers.next().value * most);
    yield bytes.subarray(at, end);
    at = end;
  }
}

const header = (length: number) => {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(length);
  return bytes;
};

test('a frame is its length, kind, channel and payload, little endian', () => {
  expect(Buffer.from(encodeFrame(67, 0x01020304, Buffer.from('hi'))).toString('hex')).toBe(
    '0700000043040302016869',
  );
});

test('frames come out as they went in, wherever the stream is cut', () => {
  const numbers = random();
  const sent = Array.from({ length: 60 }, (_, i) => {
    const payload = Buffer.alloc(Math.floor(numbers.next().value ** 8 * 70_000), i);
    return encodeFrame(i % 256, Math.floor(numbers.next().value * 2 ** 32), payload);
  });
  const stream = Buffer.concat(sent);
  for (const most of [1, 3, 10, 1000, 65_536, stream.byteLength]) {
    const seen = decode(cut(stream, most, numbers));
    const again = seen.map(({ kind, channel, payload }) => encodeFrame(kind, channel, payload));
    expect(again).toHaveLength(sent.length);
    expect(Buffer.concat(again).equals(stream), `pieces of up to ${most} bytes`).toBe(true);
  }
});

test('the largest frame passes, one byte more does not leave and does not arrive', () => {
  const [frame] = decode([encodeFrame(1, 1, new Uint8Array(LARGEST))]);
  expect(frame?.payload.byteLength).toBe(LARGEST);
  expect(() => encodeFrame(1, 1, new Uint8Array(LARGEST + 1))).toThrow('a frame of');
  expect(() => decode([header(MAX_FRAME_BYTES + 1)])).toThrow('a frame of');
});

test.each([0, 1, 4, MAX_FRAME_BYTES + 1, 0x7fffffff, 0xffffffff])(
  'a frame of length %i is refused',
  length => {
    expect(() => decode([header(length)])).toThrow(`a frame of ${length} bytes`);
    expect(() => decode(cut(header(length), 1, random()))).toThrow(`a frame of ${length} bytes`);
  },
);

test('random bytes are decoded or refused, and nothing else', () => {
  const numbers = random();
  for (let round = 0; round < 500; round++) {
    const noise = Buffer.from(Array.from({ length: 64 }, () => numbers.next().value * 256));
    // Half of them begin with a length that is possible.
    if (round % 2) noise.writeUInt32LE(5 + Math.floor(numbers.next().value * 40));
    try {
      for (const { payload } of decode(cut(noise, 16, numbers))) expect(payload.byteLength).toBeLessThan(64);
    } catch (error) {
      expect(String(error)).toMatch(/a frame of \d+ bytes/);
    }
  }
});

test('a large frame that drips in byte by byte costs no more than its bytes', () => {
  const frame = encodeFrame(1, 1, new Uint8Array(LARGEST));
  const decoder = new FrameDecoder();
  let frames = 0;
  const started = process.cpuUsage();
  for (let at = 0; at < frame.byteLength; at++) decoder.push(frame.subarray(at, at + 1), () => frames++);
  expect(frames).toBe(1);
  // Copying what is held at every push would move half a terabyte. Microseconds of CPU.
  expect(process.cpuUsage(started).user).toBeLessThan(10_000_000);
});

test('numbers survive, and what is none is refused', () => {
  const [number] = decode([encodeNumber(3, 4, 0xffffffff)]);
  expect(decodeNumber(number!.payload)).toBe(0xffffffff);
  expect(() => decodeNumber(Buffer.from([1, 2, 3]))).toThrow();
});
