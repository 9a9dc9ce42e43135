import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { residentBytes } from '../support/memory.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/**
 * Clients that never finish a large request or message, or never read a large answer or a stream of events: the server holds so much for
 * all of them. Its memory is looked at by the first tests, before others have had it grow.
 */
const MEGABYTE = 1024 * 1024;
const MANY = 60;

let server: RunningServer;
const sockets: Socket[] = [];
beforeAll(async () => {
  server = await startServer({ env: { CODEBEAKER_RUNTIMES: 'Python' } });
});
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => server?.stop());

async function open(head: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(`${head}\r\nhost: ${hostname}:${port}\r\n`);
  return socket;
}

/** Resolves when it takes more, or is closed. */
function room(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}

test('large answers that nobody reads are held up to a bound with requests that nobody ends, and then refused with a time to come back', async () => {
  const code = 'open("large", "w").write("x" * 31 * 2**20)';
  const { executionId } = await runOnce(server.url, { language: 'python', code, outputFiles: ['large'] });
  // Room for four answers is left by what is announced, which costs nothing until it comes.
  for (let i = 0; i < 12; i++)
    (await open('POST /api/execution HTTP/1.1')).write(
      `content-type: application/json\r\ncontent-length: ${30 * MEGABYTE}\r\n\r\n`,
    );
  await (await fetch(`${server.url}/health/live`)).text();
  const before = residentBytes(server.pid);
  const answers: string[] = [];
  while (answers.length < 8 && !answers.at(-1)?.includes(' 503 ')) {
    const socket = await open(`GET /api/execution/${executionId} HTTP/1.1`);
    socket.write('\r\n');
    const [beginning] = await once(socket, 'data');
    socket.pause();
    answers.push(String(beginning));
  }
  expect(answers.map(answer => answer.slice(9, 12))).toEqual(['200', '200', '200', '200', '503']);
  expect(answers.at(-1)).toMatch(/\r\nretry-after: \d+\r\n/i);
  expect(residentBytes(server.pid) - before).toBeLessThan(5 * 110 * MEGABYTE);
  expect((await runOnce(server.url, { language: 'python', code: 'print(1)' })).stdout).toBe('1\n');
  for (const socket of sockets.splice(0)) socket.destroy();
  await expect
    .poll(async () => (await http(`${server.url}/api/execution/${executionId}`)).status, { timeout: 60_000 })
    .toBe(200);
});

test.for([
  ['of a length that was announced', `content-length: ${30 * MEGABYTE}\r\n\r\n`, ''],
  ['in pieces', 'transfer-encoding: chunked\r\n\r\n', `${MEGABYTE.toString(16)}\r\n`],
] as const)('large requests %s that nobody ends are held up to a bound', async ([, more, head]) => {
  const before = residentBytes(server.pid);
  const piece = `${head}${'x'.repeat(MEGABYTE)}${head && '\r\n'}`;
  let refused = 0;
  // Those behind the first that are refused find the same.
  for (let i = 0; i < MANY && refused < 5; i++) {
    const socket = await open('POST /api/execution HTTP/1.1');
    socket.on('data', data => (refused += String(data).includes(' 503 ') ? 1 : 0));
    socket.write(`content-type: application/json\r\n${more}`);
    for (let sent = 0; sent < 25 && !socket.destroyed; sent++) if (!socket.write(piece)) await room(socket);
  }
  expect(refused).toBeGreaterThan(0);
  expect(residentBytes(server.pid) - before).toBeLessThan(1200 * MEGABYTE);
  expect((await runOnce(server.url, { language: 'python', code: 'print(1)' })).stdout).toBe('1\n');
});

/** The first part of a message of 31 MiB, masked with zeros, whose rest never comes. */
const FIRST_PART = Buffer.alloc(14 + 31 * MEGABYTE, 0x20);
FIRST_PART.set([0x01, 0x80 | 127]);
FIRST_PART.writeBigUInt64BE(BigInt(31 * MEGABYTE), 2);
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
  const large = { language: 'python', code: 'print(len(input()))', stdin: 'x'.repeat(4 * MEGABYTE) };
  await expect
    .poll(() => other.call('execution.run', large).catch(error => error), { timeout: 60_000 })
    .toMatchObject({ outcome: 'ok', stdout: `${4 * MEGABYTE}\n` });
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
