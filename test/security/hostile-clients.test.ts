import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { serverIsWell } from './probe.ts';

/** What no well-behaved client sends, and that the server shrugs it off. */
const server = inject('server');
afterEach(serverIsWell);

test('JSON nested a hundred thousand deep is an error, over both doors', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  expect((await http(`${server.url}/api/execution`, 'POST', deep)).status).toBe(400);
  const metadata = `{"jsonrpc":"2.0","id":1,"method":"session.create","params":{"language":"python","metadata":{"a":${deep}}}}`;
  const client = await RpcClient.connect(server.wsUrl);
  client.send(metadata);
  await client.call('ping');
  await client.close();
});

test('names of the prototype are names like any other', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  client.send(
    '{"jsonrpc":"2.0","id":"p","method":"session.create","params":{"language":"python","metadata":{"__proto__":{"polluted":1},"constructor":1}}}',
  );
  await client.until(() => client.strays.length === 1);
  const bad = { language: '__proto__', code: '1' };
  expect(await client.refused('execution.run', bad)).toMatchObject({
    data: { code: 'UNSUPPORTED_LANGUAGE' },
  });
  expect(await client.refused('session.get', { sessionId: '__proto__' })).toMatchObject({ code: -31014 });
  expect((await http(`${server.url}/api/language/constructor`)).status).toBe(404);
  expect((await http(`${server.url}/api/execution/__proto__`)).status).toBe(404);
  const answer = client.strays[0] as { result?: { sessionId: string } };
  if (answer.result) await client.call('session.close', { sessionId: answer.result.sessionId });
  await client.close();
});

test('a batch of many thousands is bounded or answered, and holds up no other client', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const other = await RpcClient.connect(server.wsUrl);
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const answer = client.exchange(`[${Array(50_000).fill(ping).join(',')}]`).catch((error: unknown) => error);
  expect(await other.call('ping')).toHaveProperty('now');
  expect(await answer).toBeDefined();
  await client.close();
  await other.close();
});

test('binary and malformed frames close at most their own socket', async () => {
  const binary = new WebSocket(server.wsUrl);
  await once(binary, 'open');
  binary.on('error', () => {});
  binary.send(Buffer.from([0xff, 0x00, 0xfe]));
  const broken = new WebSocket(server.wsUrl);
  await once(broken, 'open');
  broken.on('error', () => {});
  const raw = (broken as unknown as { _socket: import('node:net').Socket })._socket;
  raw.write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]));
  await once(broken, 'close');
  const text = new WebSocket(server.wsUrl);
  await once(text, 'open');
  text.on('error', () => {});
  const badUtf8 = (text as unknown as { _socket: import('node:net').Socket })._socket;
  badUtf8.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28]));
  await once(text, 'close');
  binary.terminate();
});

test('half a request that never goes on harms nobody', async () => {
  const { hostname, port } = new URL(server.url);
  const sockets = Array.from({ length: 50 }, () => connect(Number(port), hostname));
  for (const socket of sockets) {
    socket.on('error', () => {});
    socket.write(
      'POST /api/execution HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\nContent-Type: application/json\r\n\r\n{"co',
    );
  }
  await new Promise(resolve => setTimeout(resolve, 200));
  await serverIsWell();
  for (const socket of sockets) socket.destroy();
});

test('requests smuggled or malformed are refused', async () => {
  const { hostname, port } = new URL(server.url);
  for (const text of [
    'GET / HTTP/1.1\r\n\r\n',
    'GARBAGE\r\n\r\n',
    `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
    'POST /api/execution HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x',
  ]) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {});
    socket.end(text);
    let answer = '';
    for await (const chunk of socket) answer += chunk;
    expect(answer).toMatch(/^(HTTP\/1\.1 (4\d\d|403)|$)/);
  }
});

test('sockets that come and go by the hundred leave nothing', async () => {
  for (let round = 0; round < 5; round++) {
    const clients = await Promise.all(Array.from({ length: 60 }, () => RpcClient.connect(server.wsUrl)));
    for (const client of clients) {
      client.notify('session.create', { language: 1 });
      client.socket.terminate();
    }
  }
});

test('ids of executions and sessions cannot be guessed', async () => {
  const ids = new Set<string>();
  for (let i = 0; i < 20; i++) {
    const { body } = await http(`${server.url}/api/execution`, 'POST', { language: 'python', code: '1' });
    ids.add(body.executionId);
    expect(body.executionId).toMatch(/[0-9a-zA-Z_-]{20,}/);
  }
  expect(ids.size).toBe(20);
});
