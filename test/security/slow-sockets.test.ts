import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** Sockets on which large messages begin and do not end, and streams of events that nobody reads. */
const MB = 1024 * 1024;
let server: RunningServer;
beforeAll(async () => {
  server = await startServer({ env: { CODEBEAKER_RUNTIMES: 'Python' } });
});
afterAll(() => server.stop());

/** The first part of a message of 31 MiB, masked with zeros, whose rest never comes. */
const FIRST_PART = Buffer.alloc(14 + 31 * MB, 0x20);
FIRST_PART.set([0x01, 0x80 | 127]);
FIRST_PART.writeBigUInt64BE(BigInt(31 * MB), 2);
FIRST_PART.fill(0, 10, 14);

async function begin(): Promise<WebSocket> {
  const socket = new WebSocket(server.wsUrl, { perMessageDeflate: false });
  socket.on('error', () => {});
  await once(socket, 'open');
  const below = (socket as unknown as { _socket: Socket })._socket;
  below.write(FIRST_PART);
  return socket;
}

test('messages that do not end are held up to a bound, and then their sockets are closed', async () => {
  const sockets: WebSocket[] = [];
  let refused = 0;
  for (let i = 0; i < 24; i++) {
    const socket = await begin();
    socket.on('close', code => code === 1013 && refused++);
    sockets.push(socket);
    await (await fetch(`${server.url}/health/live`)).text();
  }
  await expect.poll(() => refused, { timeout: 60_000 }).toBeGreaterThan(5);
  expect(refused).toBeLessThan(10);
  // Others' usual messages go on.
  const other = await RpcClient.connect(server.wsUrl);
  expect(await other.call('session.list')).toMatchObject({ count: 0 });
  for (const socket of sockets) socket.terminate();
  // And large ones too, once there is room.
  const large = { language: 'python', code: 'print(len(input()))', stdin: 'x'.repeat(4 * MB) };
  await expect
    .poll(() => other.call('execution.run', large).catch(error => error), { timeout: 60_000 })
    .toMatchObject({ outcome: 'ok', stdout: `${4 * MB}\n` });
  await other.close();
});

test('a client follows so many runs at once and no more', async () => {
  const { body } = await http(`${server.url}/api/execution`, 'POST', {
    language: 'python',
    code: 'import time; time.sleep(300)',
    config: { timeout: 300 },
  });
  const leave = new AbortController();
  const follow = () =>
    fetch(`${server.url}/api/execution/${body.executionId}/events`, { signal: leave.signal });
  const streams = await Promise.all(Array.from({ length: 256 }, follow));
  expect(streams.map(({ status }) => status)).toEqual(Array(256).fill(200));
  const more = await follow();
  const { code } = (await more.json()) as { code: string };
  expect([more.status, code]).toEqual([503, 'QUEUE_FULL']);
  leave.abort();
  await expect
    .poll(
      async () =>
        (
          await fetch(`${server.url}/api/execution/${body.executionId}/events`, {
            signal: AbortSignal.timeout(5000),
          })
        ).status,
      { timeout: 30_000 },
    )
    .toBe(200);
  await http(`${server.url}/api/execution/${body.executionId}`, 'DELETE');
});
