import { connect } from 'node:net';
import { afterAll, expect, it, vi } from 'vitest';
import { byName, kernel, runsOn } from '../support/scripts.ts';
import { framed, type Made, openE2b } from './open-e2b.ts';

/** Connections that begin something and are never read, or never finish what they ask. */
const waits = kernel(
  (_, { killed, on }) =>
    new Promise(resolve => {
      on('SIGINT', () => resolve(undefined));
      killed.addEventListener('abort', () => resolve(undefined));
    }),
);
const door = await openE2b({ script: byName({ kernel: waits, other: runsOn }) });
afterAll(() => door.app.close());

const request = (made: Made, path: string, type: string, body: string, announced = body.length) =>
  `POST /e2b${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nE2b-Sandbox-Id: ${made.id}\r\nX-Access-Token: ${made.token}\r\n` +
  `Content-Type: ${type}\r\nContent-Length: ${announced}\r\n\r\n${body}`;
const started = framed({ process: { cmd: 'sleep' } });

it('many of them hold up nobody else, and leave no place taken when they go', async () => {
  const made = await door.create();
  const sockets = Array.from({ length: 120 }, (_, i) => {
    const socket = connect(door.port, '127.0.0.1');
    socket.on('error', () => {});
    // A third each: begun and not read, a cell that waits, a request that never ends.
    if (i % 3 === 0)
      socket.write(request(made, '/process.Process/Start', 'application/connect+json', started));
    else if (i % 3 === 1) socket.write(request(made, '/execute', 'application/json', `{"code":"${i}"}`));
    else socket.write(request(made, '/execute', 'application/json', '{"code"', 1000));
    return socket;
  });
  const programs = () =>
    door.runtime.sandboxes.flatMap(({ processes }) => processes.filter(({ spec }) => !spec.control)).length;
  await vi.waitFor(() => expect(programs()).toBe(40), { timeout: 60_000 });
  const other = await door.create('bob');
  expect((await door.ask('/health', { method: 'GET', headers: door.to(other) })).status).toBe(204);
  for (const socket of sockets) socket.destroy();

  // All its places are there again: with those that were taken there would not be as many.
  const again = async (signal: AbortSignal) => {
    const headers = { ...door.to(made), 'content-type': 'application/connect+json' };
    const answer = await door.send('/process.Process/Start', { body: started, headers, signal });
    const { value } = await answer.body!.getReader().read();
    return value![0];
  };
  const all = async () => {
    const cut = new AbortController();
    const first = await Promise.all(Array.from({ length: 60 }, () => again(cut.signal)));
    cut.abort();
    expect(first).not.toContain(2);
  };
  await vi.waitFor(all, { timeout: 60_000, interval: 200 });
}, 150_000);
