import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { drained } from '../../src/wire/drained.ts';

/** A stream that takes nothing until it is told to. */
function holding(): { stream: Writable; take: () => void } {
  let take = () => {};
  const stream = new Writable({
    highWaterMark: 1,
    write(_chunk, _encoding, done) {
      take = done;
    },
  });
  return { stream, take: () => take() };
}

const listeners = (stream: Writable) => stream.listenerCount('drain') + stream.listenerCount('close');

test('it waits until a stream has room', async () => {
  const { stream, take } = holding();
  expect(stream.write('xx')).toBe(false);
  let over = false;
  const waiting = drained(stream).then(() => {
    over = true;
  });
  await new Promise(resolve => setImmediate(resolve));
  expect(over).toBe(false);
  take();
  await waiting;
  expect(listeners(stream)).toBe(0);
});

test('it ends with a stream that is closed before it has room', async () => {
  const { stream } = holding();
  stream.write('xx');
  const waiting = drained(stream);
  stream.destroy();
  await waiting;
  expect(listeners(stream)).toBe(0);
});

test('it does not wait for a stream that was closed before it is asked', async () => {
  const stream = new PassThrough();
  stream.destroy();
  await new Promise(resolve => stream.once('close', resolve));
  await drained(stream);
  expect(listeners(stream)).toBe(0);
});
