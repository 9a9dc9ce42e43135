import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex, duplexPair } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { exchange } from '../../../src/network/egress/port-exchange.ts';
import { framesOf, PortFrame } from '../../../src/network/egress/port-frames.ts';
import { encodeFrame } from '../../../src/wire/frames.ts';
import type { RelayStream } from '../../../src/wire/relay-streams.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

const MINUTE_MS = 60_000;
const PATIENT = { timeout: 10_000 };
/** One of two of a body. The memory of each is given back once it has been taken: it can't be sent again. */
const piece = () => encodeFrame(PortFrame.data, 0, Buffer.alloc(60_000, 'x'));

/** A request with a body for a program, which may read of it or not. */
function ask({ reads }: { reads: boolean }) {
  const [ours, client] = duplexPair();
  const program = new Duplex({
    allowHalfOpen: true,
    read() {},
    write(bytes, _encoding, done) {
      program.emit('given', bytes.length);
      if (reads) done();
    },
  });
  const headers = ['Host', 'x', 'Content-Length', '120000', 'Connection', 'close'];
  void exchange(ours as Socket, program as RelayStream, {
    method: 'PUT',
    path: '/',
    headers,
    upgrade: false,
  });
  program.emit('connect');
  return { client, program, answer: framesOf(client) };
}

test('a program that takes nothing of a request for a minute is told of as one that does not answer', async () => {
  const { client, program, answer } = ask({ reads: false });
  const given = once(program, 'given');
  client.write(piece());
  await given;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  const { value } = await answer.next();
  expect({ kind: value?.kind, why: String(value?.payload) }).toEqual({ kind: PortFrame.failed, why: 'late' });
  expect(program.destroyed).toBe(true);
});

test('a client may take its time, as long as the program takes what comes', async () => {
  const { client, program, answer } = ask({ reads: true });
  let taken = 0;
  program.on('given', bytes => (taken += bytes));
  for (let i = 1; i <= 2; i++) {
    client.write(piece());
    await vi.waitUntil(() => taken > i * 60_000 && vi.getTimerCount() === 0, PATIENT);
    await vi.advanceTimersByTimeAsync(10 * MINUTE_MS);
    expect(program.destroyed).toBe(false);
  }
  client.write(encodeFrame(PortFrame.end, 0, new Uint8Array(0)));
  program.push('HTTP/1.1 204 Taken\r\n\r\n');
  const { value } = await answer.next();
  expect(value?.kind).toBe(PortFrame.head);
});
