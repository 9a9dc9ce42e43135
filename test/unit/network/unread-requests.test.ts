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
const piece = encodeFrame(PortFrame.data, 0, Buffer.alloc(60_000, 'x'));

/** A request with a body for a program that reads nothing of it. */
function ask() {
  const [ours, client] = duplexPair();
  const program = new Duplex({
    allowHalfOpen: true,
    read() {},
    write() {
      program.emit('given');
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
  const { client, program, answer } = ask();
  const given = once(program, 'given');
  client.write(piece);
  await given;
  await vi.advanceTimersByTimeAsync(MINUTE_MS);
  const { value } = await answer.next();
  expect({ kind: value?.kind, why: String(value?.payload) }).toEqual({ kind: PortFrame.failed, why: 'late' });
  expect(program.destroyed).toBe(true);
});
