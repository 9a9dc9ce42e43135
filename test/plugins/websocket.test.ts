import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, test } from 'vitest';
import { openDoors } from '../routes/rest-door.ts';
import { until } from '../rpc/door.ts';
import { scripted } from '../rpc/service-double.ts';
import { RpcClient } from '../support/rpc-client.ts';

const { app, service } = await openDoors();
await app.listen({ host: '127.0.0.1', port: 0 });
const { port } = app.server.address() as AddressInfo;
const at = (path: string) => `ws://127.0.0.1:${port}${path}`;
const connect = (headers = {}) => RpcClient.connect(at('/ws/jsonrpc'), { headers, checked: false });
afterAll(() => app.close());

const status = (headers: Record<string, string>, path = '/ws/jsonrpc') =>
  RpcClient.connect(at(path), { headers, checked: false }).then(
    async client => {
      await client.close();
      return 101;
    },
    (error: Error) => Number(/\d+$/.exec(error.message)?.[0]),
  );

describe('a WebSocket', () => {
  test.each(['/ws/jsonrpc', '/ws/control'])('on %s speaks JSON-RPC', async path => {
    const client = await RpcClient.connect(at(path), { checked: false });
    expect(await client.call('ping')).toEqual({ now: expect.any(String) });
    await client.close();
  });

  test('of a foreign page is refused, like a path that is not there', async () => {
    expect(await status({ origin: 'https://evil.example' })).toBe(403);
    expect(await status({ origin: 'null' })).toBe(403);
    expect(await status({ host: 'evil.example' })).toBe(403);
    expect(await status({ origin: 'http://localhost:3000' })).toBe(101);
    expect(await status({}, '/ws/nothing')).toBe(404);
  });

  test('is closed with 1003 for a binary message', async () => {
    const client = await connect();
    client.socket.send(Buffer.from('{}'));
    await client.until(() => client.closed !== undefined);
    expect(client.closed).toMatchObject({ code: 1003 });
  });

  test('is closed with 1009 for a message over 32 MiB, and not for one below', async () => {
    const client = await connect();
    const padded = (bytes: number) =>
      `{"jsonrpc":"2.0","id":"p","method":"ping","params":{}${' '.repeat(bytes)}}`;
    expect(await client.exchange(padded(31 << 20))).toMatchObject({ id: 'p', result: {} });
    client.send(padded(33 << 20));
    await client.until(() => client.closed !== undefined);
    expect(client.closed).toMatchObject({ code: 1009 });
  });

  test('answers ten thousand requests sent at once', async () => {
    const client = await connect();
    const answers = await Promise.all(Array.from({ length: 10_000 }, () => client.call('ping')));
    expect(answers).toHaveLength(10_000);
    await client.close();
  });

  test('is not read on while a thousand of its requests wait, and then goes on', async () => {
    const client = await connect();
    const { sessionId } = await client.call('session.create', { language: 'python' });
    const began = () => service.begun.length;
    const before = began();
    const execute = () =>
      client.call('session.execute', {
        sessionId,
        command: scripted({ waitFor: 'thousand', background: true }),
      });
    const calls = Array.from({ length: 5000 }, execute);
    await until(() => began() > before + 1000);
    await new Promise(resolve => setTimeout(resolve, 200));
    // One chunk of the socket may hold some more than the limit.
    expect(began() - before).toBeLessThan(3000);
    service.open('thousand');
    await Promise.all(calls);
    expect(began() - before).toBe(5000);
    await client.close();
  });

  test('that is not read holds up the program, and gets everything once it is', async () => {
    const client = await connect();
    client.socket.pause();
    const params = { code: '{"flood":1000}', language: 'python', stream: true };
    const run = client.request('execution.run', params);
    await new Promise(resolve => setTimeout(resolve, 300));
    const before = process.memoryUsage().rss;
    await new Promise(resolve => setTimeout(resolve, 300));
    expect(process.memoryUsage().rss - before).toBeLessThan(20_000_000);
    client.socket.resume();
    expect(await run.reply).toMatchObject({ status: 'completed' });
    expect(client.notifications).toHaveLength(1002);
    await client.close();
  });

  test('that is not read starts no more commands whose answers would pile up', async () => {
    const client = await connect();
    const { sessionId } = await client.call('session.create', { language: 'python' });
    client.socket.pause();
    const before = service.begun.length;
    const command = { type: 'execute_code', code: '{}', stdin: 'x'.repeat(1_000_000) };
    const calls = Array.from({ length: 40 }, () => client.call('session.execute', { sessionId, command }));
    await new Promise(resolve => setTimeout(resolve, 500));
    expect(service.begun.length - before).toBeLessThan(20);
    client.socket.resume();
    await Promise.all(calls);
    await client.close();
  });

  test('is told with 1001 that the server is going away', async () => {
    const other = await openDoors();
    await other.app.listen({ host: '127.0.0.1', port: 0 });
    const client = await RpcClient.connect(
      `ws://127.0.0.1:${(other.app.server.address() as AddressInfo).port}/ws/jsonrpc`,
    );
    const closed = once(client.socket, 'close');
    await other.app.close();
    await closed;
    expect(client.closed).toMatchObject({ code: 1001 });
  });
});
