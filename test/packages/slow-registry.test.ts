import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Unreachable, Upstream } from '../../src/packages/registry/upstream.ts';

/** A registry that does nothing by itself, on a clock that the tests move. */
let responses: ServerResponse[];
let upstream: Upstream;
let close: () => void;

beforeEach(async () => {
  responses = [];
  const server = createServer((_, response) => void responses.push(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  upstream = new Upstream({ url: `http://127.0.0.1:${port}/`, authorization: null });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  close = () => {
    server.closeAllConnections();
    server.close();
  };
});
afterEach(() => {
  vi.useRealTimers();
  close();
});

const asked = async (times: number) => {
  while (responses.length < times) await new Promise(resolve => setImmediate(resolve));
  return responses.at(-1)!;
};

test('a registry that does not begin to answer in ten seconds is asked once more, and given up within fifteen', async () => {
  const answer = upstream.get(upstream.base).catch((error: unknown) => error);
  await asked(1);
  vi.advanceTimersByTime(10_000);
  await asked(2);
  vi.advanceTimersByTime(4500);
  expect(await answer).toBeInstanceOf(Unreachable);
  expect(String(await answer)).toMatch(/: it sent nothing for too long$/);
  expect(responses).toHaveLength(2);
});

test('one that sends a piece now and then is read to its end, however slowly it is read, and not once it stops', async () => {
  const got = upstream.get(upstream.base);
  const response = await asked(1);
  response.write('0');
  const { body } = await got;
  const pieces = body[Symbol.asyncIterator]();
  for (let i = 1; i <= 5; i++) {
    expect(Buffer.from((await pieces.next()).value!).toString()).toBe(`${i - 1}`);
    // Who reads it does something else meanwhile.
    vi.advanceTimersByTime(60_000);
    const next = pieces.next();
    vi.advanceTimersByTime(9000);
    response.write(`${i}`);
    expect(Buffer.from((await next).value!).toString()).toBe(`${i}`);
    response.write(`${i}`);
  }
  expect(Buffer.from((await pieces.next()).value!).toString()).toBe('5');
  const rest = pieces.next().catch((error: unknown) => error);
  vi.advanceTimersByTime(10_000);
  expect(await rest).toBeInstanceOf(Unreachable);
  expect(String(await rest)).toMatch(/: it sent nothing for too long$/);
});
