import { expect, inject, test } from 'vitest';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';
import { isContiguous, seqsOf, textOf } from '../support/stream.ts';

/** Live notifications: complete, in order, numbered without gaps, and not lost with a connection. */
const server = inject('server');
const lines = (n: number) => Array.from({ length: n }, (_, i) => `${i}\n`).join('');

test('execution.run tells its start, its output and its end, numbered from 1', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const code = 'import sys\nprint("out")\nsys.stdout.flush()\nprint("err", file=sys.stderr)\nsys.exit(3)';
  const end = await client.call('execution.run', { language: 'python', code, stream: true });
  const names = client.notifications.map(n => n.method);
  expect(names[0]).toBe('execution.started');
  expect(names.at(-1)).toBe('execution.completed');
  expect(isContiguous(seqsOf(client.notifications))).toBe(true);
  expect(textOf(client.notifications)).toBe('out\n');
  expect(textOf(client.notifications, 'stderr')).toBe('err\n');
  const { params } = client.notifications.at(-1)!;
  expect(params).toMatchObject({
    executionId: end.executionId,
    sessionId: null,
    status: 'failed',
    exitCode: 3,
  });
  await client.close();
});

test('without stream: true nothing is told and no number is used up', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  await session.prints('print(1)');
  expect(session.client.notifications).toEqual([]);
  await session.command('execute_code', { code: 'print(2)' }, { stream: true });
  await session.prints('print(3)');
  await session.command('execute_code', { code: 'print(4)\n5' }, { stream: true });
  expect(isContiguous(seqsOf(session.client.notifications))).toBe(true);
  expect(textOf(session.client.notifications)).toBe('2\n4\n');
  const rich = session.client.notifications.filter(n => n.method === 'execution.result');
  expect(rich.map(n => n.params.mimeBundle)).toMatchObject([{ 'text/plain': '5' }]);
});

test('every notification of a command comes before its answer', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  for (let i = 0; i < 20; i++) {
    const before = session.client.notifications.length;
    await session.command('execute_code', { code: `print('x' * ${i * 5000})` }, { stream: true });
    const told = session.client.notifications.slice(before);
    expect(told.at(-1)?.method).toBe('execution.completed');
    expect(textOf(told)).toHaveLength(i * 5000 + 1);
  }
});

test('a character is never cut, however its bytes were written', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const code = `
import os, time
for byte in 'é漢😀'.encode():
    os.write(1, bytes([byte]))
    time.sleep(0.03)
os.write(1, ('é' * 100_001).encode())
os.write(2, ('x' + '😀' * 50_001).encode())`;
  await client.call('execution.run', { language: 'python', code, stream: true });
  const parts = client.notifications.filter(n => n.method === 'execution.output');
  expect(parts.every(n => n.params.text !== undefined && !n.params.text.includes('�'))).toBe(true);
  expect(textOf(client.notifications) === `é漢😀${'é'.repeat(100_001)}`).toBe(true);
  expect(textOf(client.notifications, 'stderr') === `x${'😀'.repeat(50_001)}`).toBe(true);
  await client.close();
});

test('a character that never ends is told when the program ends', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  const code = `import os; os.write(1, b'a\\xe2\\x82')`;
  const end = await client.call('execution.run', { language: 'python', code, stream: true });
  const parts = client.notifications.filter(n => n.method === 'execution.output').map(n => n.params);
  const bytes = parts.map(p => (p.data === undefined ? Buffer.from(p.text) : Buffer.from(p.data, 'base64')));
  expect(Buffer.concat(bytes)).toEqual(Buffer.from([0x61, 0xe2, 0x82]));
  expect(end.stdoutBytes).toBe(3);
  await client.close();
});

test('a client that reconnects loses nothing and gets nothing twice', async () => {
  const first = await TestSession.open(server.wsUrl, { language: 'python' });
  const code = 'import time\nfor i in range(300):\n  print(i)\n  time.sleep(0.004)';
  const command = {
    id: 'c',
    type: 'execute_shell',
    commandName: 'python3',
    args: ['-c', code],
    background: true,
  };
  await first.client.call('session.execute', { sessionId: first.id, command });
  await first.client.until(() => textOf(first.client.notifications).includes('50\n'));
  first.client.socket.terminate();
  const seen = [...first.client.notifications];
  const last = seqsOf(seen).at(-1)!;
  await new Promise(resolve => setTimeout(resolve, 300));

  const second = await RpcClient.connect(server.wsUrl);
  await second.call('session.attach', { sessionId: first.id, afterSeq: last });
  await second.notified(n => n.method === 'execution.completed');
  const all = [...seen, ...second.notifications];
  expect(isContiguous(seqsOf(all))).toBe(true);
  expect(textOf(all)).toBe(lines(300));
  await second.call('session.close', { sessionId: first.id });
  await second.close();
});

test('a command goes on when its connection is lost, and its answer waits in the replay', async () => {
  const first = await TestSession.open(server.wsUrl, { language: 'python' });
  const code = 'import time\nfor i in range(100):\n  print(i)\n  time.sleep(0.005)';
  first.command('execute_code', { code }, { stream: true });
  await first.client.notified(n => n.method === 'execution.output');
  first.client.socket.terminate();
  const second = await RpcClient.connect(server.wsUrl);
  await second.call('session.attach', { sessionId: first.id, afterSeq: 0 });
  await second.notified(n => n.method === 'execution.completed');
  expect(isContiguous(seqsOf(second.notifications))).toBe(true);
  expect(textOf(second.notifications)).toBe(lines(100));
  await second.call('session.close', { sessionId: first.id });
  await second.close();
});

test('two attached clients are told the same', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const watcher = await RpcClient.connect(server.wsUrl);
  await watcher.call('session.attach', { sessionId: session.id });
  await session.command('execute_code', { code: 'for i in range(50): print(i)' }, { stream: true });
  await watcher.notified(n => n.method === 'execution.completed');
  expect(textOf(watcher.notifications)).toBe(lines(50));
  expect(seqsOf(watcher.notifications)).toEqual(seqsOf(session.client.notifications));
  await watcher.close();
});

test('an attach that reaches further back than the buffer says so', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const flood = `import sys\nfor i in range(60): sys.stdout.write('x' * 1_000_000)`;
  await session.command('execute_shell', { commandName: 'python3', args: ['-c', flood] }, { stream: true });
  const late = await RpcClient.connect(server.wsUrl);
  const answer = await late.call('session.attach', { sessionId: session.id, afterSeq: 0 });
  expect(answer).toMatchObject({ complete: false, firstAvailable: expect.any(Number) });
  await late.close();
});
