import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { encodeFrame } from '../../../src/wire/frames.ts';
import { type RelayStream, RelayStreams } from '../../../src/wire/relay-streams.ts';
import { MAX_STREAMS, StreamFrame } from '../../../src/wire/streams.ts';
import { settle } from '../support/clock.ts';

/** A relay that a test plays, and why it was given up. */
function played() {
  const [input, output] = [new PassThrough(), new PassThrough()];
  output.resume();
  const reasons: string[] = [];
  const opened: RelayStream[] = [];
  const streams = new RelayStreams({
    input,
    output,
    onStream: stream => opened.push(stream),
    onBroken: ({ message }) => reasons.push(message),
  });
  let last = 0;
  const opens = (count: number) => {
    for (let i = 0; i < count; i++) input.write(encodeFrame(StreamFrame.open, ++last, Buffer.alloc(8)));
    return settle();
  };
  /** One after the other, each with something that nobody reads. */
  const abandons = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await opens(1);
      input.write(encodeFrame(StreamFrame.data, last, Buffer.from('unread')));
      input.write(encodeFrame(StreamFrame.reset, last, Buffer.alloc(0)));
    }
    await settle();
  };
  return { input, streams, reasons, opened, opens, abandons };
}

test('what the relay has opened before it heard of a connection of the service’s is no reason to give it up', async () => {
  const { streams, reasons, opens } = played();
  streams.connect(80);
  await opens(MAX_STREAMS);
  expect(reasons).toEqual([]);
  await opens(1);
  expect(reasons).toEqual([`more than ${MAX_STREAMS} streams`]);
});

test('the service connects to so many at once, and to others when some are over', () => {
  const { streams } = played();
  const open = Array.from({ length: MAX_STREAMS }, () => streams.connect(80));
  expect(() => streams.connect(80)).toThrow(`more than ${MAX_STREAMS} streams`);
  open[0]!.destroy();
  streams.connect(80);
});

test('what the relay reset is kept until it is read, so many at once and no longer than the relay', async () => {
  const { input, reasons, opened, abandons } = played();
  await abandons(MAX_STREAMS + 1);
  expect(reasons).toEqual([]);
  expect(opened.map(({ destroyed }) => destroyed)).toEqual([...Array(MAX_STREAMS).fill(false), true]);
  expect(String(opened[0]!.read())).toBe('unread');
  await settle();
  expect(opened[0]!.destroyed).toBe(true);
  await abandons(1);
  expect(opened.at(-1)!.destroyed).toBe(false);
  input.end();
  await settle();
  expect(opened.every(({ destroyed }) => destroyed)).toBe(true);
});
