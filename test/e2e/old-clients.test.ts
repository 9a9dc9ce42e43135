// biome-ignore-all lint/suspicious/noExplicitAny: tests look into what a service sent
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { Browser } from '../support/browser.ts';
import { needs } from '../support/needs.ts';

/** The session scenario of the old documents, unchanged, by every kind of client that people have. */
const server = inject('server');
const run = promisify(execFile);

/** As text, because the same function runs in Node and, sent over as it is, in a browser's page. */
async function scenario(open: () => any): Promise<Record<number, any>> {
  const socket = open();
  const answers: Record<number, any> = {};
  let wake = () => {};
  socket.onmessage = (event: { data: unknown }) => {
    const message = JSON.parse(String(event.data));
    if (message.id !== undefined) answers[message.id] = message;
    wake();
  };
  const until = async (...ids: number[]) => {
    while (!ids.every(id => answers[id]))
      await new Promise<void>(resolve => {
        wake = resolve;
      });
  };
  const send = (id: number, method: string, params: object) =>
    socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  await new Promise<void>((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error('the socket did not open'));
  });
  send(1, 'session.create', { language: 'python', idleTimeoutMinutes: 30, maxLifetimeMinutes: 120 });
  await until(1);
  const { sessionId } = answers[1].result;
  const execute = (id: number, command: object) => send(id, 'session.execute', { sessionId, command });
  const hello = "def greet(name):\n    return f'Hello, {name}!'\n";
  execute(2, { type: 'write_file', path: '/workspace/hello.py', content: hello, mode: 'Create' });
  const program = "from hello import greet\nprint(greet('World'))\n";
  execute(3, { type: 'write_file', path: '/workspace/main.py', content: program });
  const args = ['/workspace/main.py'];
  execute(4, { type: 'execute_shell', commandName: 'python3', args, workingDirectory: '/workspace' });
  await until(2, 3, 4);
  execute(5, { type: 'read_file', path: '/workspace/main.py' });
  execute(6, { type: 'list_files', path: '/workspace' });
  send(7, 'session.list', {});
  await until(5, 6, 7);
  send(8, 'session.close', { sessionId });
  await until(8);
  socket.close();
  return answers;
}

function isAsDocumented(answers: Record<number, any>): void {
  const { sessionId } = answers[1].result;
  expect(answers[1].result).toMatchObject({
    language: 'python',
    state: 'Active',
    containerId: expect.any(String),
  });
  expect(answers[2].result).toMatchObject({ success: true, error: null });
  expect(answers[3].result).toMatchObject({ success: true, error: null });
  expect(answers[4].result).toMatchObject({
    success: true,
    result: { exitCode: 0, stdout: 'Hello, World!\n' },
  });
  expect(answers[5].result.result.content).toContain('from hello import greet');
  const names = answers[6].result.result.entries.map((e: { path: string }) => e.path);
  expect(names).toEqual(expect.arrayContaining(['hello.py', 'main.py']));
  expect(answers[7].result.sessions.map((s: any) => s.sessionId)).toContain(sessionId);
  expect(answers[8].result).toEqual({ sessionId, closed: true });
}

test('a Node client with ws', async () => {
  isAsDocumented(await scenario(() => new WebSocket(server.wsUrl)));
});

test('a Node client with ws that asks for compression', async () => {
  isAsDocumented(await scenario(() => new WebSocket(server.wsUrl, { perMessageDeflate: true })));
});

needs('chromium')('a browser’s WebSocket, on a page of the service', async () => {
  await using browser = await Browser.launch();
  await browser.goto(`${server.url}/health`);
  const source = scenario.toString();
  isAsDocumented(await browser.evaluate(`(${source})(() => new WebSocket(${JSON.stringify(server.wsUrl)}))`));
});

needs('python websockets')('a Python client with websockets', async () => {
  const { stdout } = await run('/usr/bin/python3', [
    join(import.meta.dirname, 'old-client.py'),
    server.wsUrl,
  ]);
  isAsDocumented(JSON.parse(stdout));
});

needs('curl')('curl, over REST', async () => {
  const json = ['-H', 'content-type: application/json'];
  const curl = async (path: string, ...args: string[]) =>
    JSON.parse((await run('curl', ['-sS', ...args, `${server.url}${path}`])).stdout);
  const body = (value: object) => [...json, '-d', JSON.stringify(value)];
  const ended = await curl('/api/execution?wait=true', ...body({ language: 'python', code: 'print(6 * 7)' }));
  expect(ended).toMatchObject({ status: 'completed', stdout: '42\n' });
  const { executionId } = await curl('/api/execution', ...body({ language: 'bun', code: 'console.log(1)' }));
  const statuses = ['pending', 'running', 'completed'];
  expect(statuses).toContain((await curl(`/api/execution/${executionId}`)).status);
  const { sessionId } = await curl('/api/session', ...body({ language: 'javascript' }));
  const at = `/api/session/${sessionId}`;
  const cell = (code: string) => curl(`${at}/execute`, ...body({ command: { type: 'execute_code', code } }));
  await cell('let x = 10');
  expect((await cell('console.log(x)')).result.stdout).toBe('10\n');
  expect(await curl(at, '-X', 'DELETE')).toMatchObject({ closed: true });
});
