import { expect, inject, test } from 'vitest';
import { executionUntil, http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { mark, vanishes } from '../support/traces.ts';

/** Who may end a run early, and who may not. */
const server = inject('server');
/** It prints in one piece: `print` writes the end of the line by itself, and a cancel may come in between. */
const SLEEP = `import sys, time; sys.stdout.write('before\\n'); time.sleep(60)`;

test('$/cancelRequest ends execution.run, which is answered with -32800', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const trace = mark();
  const run = client.request('execution.run', {
    language: 'python',
    code: SLEEP,
    environment: trace.environment,
    stream: true,
  });
  const { params } = await client.notified(n => n.method === 'execution.output');
  client.notify('$/cancelRequest', { id: run.id });
  await expect(run.reply).rejects.toMatchObject({ code: -32800 });
  expect(await vanishes(trace.processes)).toEqual([]);
  const { body } = await http(`${server.url}/api/execution/${params.executionId}`);
  expect(body).toMatchObject({ status: 'cancelled', outcome: 'cancelled', stdout: 'before\n' });
  await client.close();
});

test('cancelling what is not there changes nothing', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  for (const params of [{ id: 'nobody' }, { id: null }, {}, [], undefined])
    client.notify('$/cancelRequest', params);
  expect(await client.call('ping')).toHaveProperty('now');
  expect(client.strays).toEqual([]);
  await client.close();
});

test('execution.cancel ends a run that another connection made', async () => {
  const one = await RpcClient.connect(server.wsUrl);
  const two = await RpcClient.connect(server.wsUrl);
  const run = one.call('execution.run', { language: 'python', code: SLEEP, stream: true });
  const { params } = await one.notified(n => n.method === 'execution.output');
  const cancelled = await two.call('execution.cancel', { executionId: params.executionId });
  expect(cancelled).toMatchObject({ status: 'cancelled', stdout: 'before\n' });
  const answer = await run.catch((error: unknown) => error);
  expect(answer).toBeDefined();
  await one.close();
  await two.close();
});

test('a socket that closes ends its execution.run within 2 seconds', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const trace = mark();
  client.request('execution.run', {
    language: 'python',
    code: SLEEP,
    environment: trace.environment,
    stream: true,
  });
  const { params } = await client.notified(n => n.method === 'execution.output');
  client.socket.terminate();
  expect(await vanishes(trace.processes)).toEqual([]);
  const end = await executionUntil(server.url, params.executionId, e => e.completedAt !== null);
  expect(end.status).toBe('cancelled');
});

test('a REST client that goes away cancels nothing', async () => {
  const controller = new AbortController();
  const body = JSON.stringify({ language: 'python', code: 'import time; time.sleep(1); print("through")' });
  const { body: taken } = await http(`${server.url}/api/execution`, 'POST', body);
  const headers = { 'content-type': 'application/json', prefer: 'wait=20' };
  const waiting = fetch(`${server.url}/api/execution`, {
    method: 'POST',
    body,
    headers,
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 300);
  await expect(waiting).rejects.toThrow();
  const end = await executionUntil(server.url, taken.executionId, e => e.completedAt !== null);
  expect(end).toMatchObject({ status: 'completed', stdout: 'through\n' });
});

test('Prefer: wait answers when it ends, or pending when the wait runs out', async () => {
  const post = (code: string, prefer: string) =>
    http(`${server.url}/api/execution`, 'POST', { language: 'python', code }, { prefer });
  expect((await post('print(1)', 'wait=20')).body).toMatchObject({ status: 'completed', stdout: '1\n' });
  const early = await post('import time; time.sleep(3)', 'respond-async, wait=1');
  expect(early.status).toBe(202);
  expect(['pending', 'running']).toContain(early.body.status);
  expect(early.body).toHaveProperty('executionId');
  await http(`${server.url}/api/execution/${early.body.executionId}`, 'DELETE');
});
