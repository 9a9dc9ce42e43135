import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { McpClient, textOf } from '../support/mcp-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** The door for agents, with clients that mean harm: each has a key of its own. */
const ANN = { authorization: 'Bearer key-of-ann-0001' };
const BOB = { 'x-api-key': 'key-of-bob-0002' };
const JSON_RPC = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };
const MOST_SESSIONS = 6;

let server: RunningServer;
beforeAll(async () => {
  const env = {
    CODEBEAKER_RUNTIMES: 'Python',
    CODEBEAKER_API_KEYS: 'key-of-ann-0001,key-of-bob-0002',
    CODEBEAKER_MAX_SESSIONS: `${MOST_SESSIONS}`,
  };
  server = await startServer({ env });
});
afterAll(() => server.stop());

const post = (body: string, headers: Record<string, string> = ANN, signal?: AbortSignal) =>
  fetch(`${server.url}/mcp`, {
    method: 'POST',
    body,
    headers: { ...JSON_RPC, ...headers },
    ...(signal && { signal }),
  });
const calling = (name: string, args: object, more: object = {}) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, ...more } });
/** The last message of an answer, which comes as an event. */
async function answerTo(body: string, headers?: Record<string, string>) {
  const events = await (await post(body, headers)).text();
  return JSON.parse(events.slice(events.lastIndexOf('data: ') + 6));
}
const connect = (headers: Record<string, string>) => McpClient.connect(server.url, '2025-11-25', headers);

describe('a key', () => {
  test('is asked for, in the protocol’s words', async () => {
    for (const headers of [{}, { authorization: 'Bearer nobody' }] as Record<string, string>[]) {
      const refused = await post(calling('execute_code', { code: '1' }), headers);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      expect(await refused.json()).toMatchObject({
        jsonrpc: '2.0',
        id: null,
        error: { data: { code: 'UNAUTHORIZED' } },
      });
    }
  });

  test('finds no session of another’s, by whatever name', async () => {
    await using ann = await connect(ANN);
    await using bob = await connect(BOB);
    const { sessionId } = (await ann.call('execute_code', { code: 'secret = 42' })).structuredContent;
    for (const [name, args] of [
      ['execute_code', { code: 'secret', sessionId }],
      ['run_command', { command: 'ls', sessionId }],
      ['read_file', { path: 'x', sessionId }],
      ['close_session', { sessionId }],
    ] as const) {
      expect(textOf(await bob.call(name, args))).toBe(`SESSION_NOT_FOUND: Session not found: ${sessionId}`);
    }
    const hers = { 'mcp-session-id': ann.transport.sessionId! };
    const stolen = await answerTo(calling('execute_code', { code: 'secret' }), { ...BOB, ...hers });
    expect(stolen.result).toMatchObject({ isError: true, structuredContent: { sessionBegan: true } });
    const left = await fetch(`${server.url}/mcp`, { method: 'DELETE', headers: { ...BOB, ...hers } });
    expect(left.status).toBe(204);
    expect(await ann.says('secret')).toBe('42');
  });

  test('cancels no call of another’s', async () => {
    await using ann = await connect(ANN);
    const name = { 'mcp-session-id': ann.transport.sessionId! };
    const running = answerTo(calling('execute_code', { code: 'import time; time.sleep(0.3); 7' }), {
      ...ANN,
      ...name,
    });
    const cancel = JSON.stringify({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    });
    expect((await post(cancel, { ...BOB, ...name })).status).toBe(202);
    expect((await running).result.content).toEqual([{ type: 'text', text: '7' }]);
  });
});

test('a page of another origin, and a name that is not this machine’s, is refused', async () => {
  const refused = await post(calling('list_files', {}), { ...ANN, origin: 'https://evil.example' });
  expect(refused.status).toBe(403);
  expect(await refused.json()).toMatchObject({ error: { data: { code: 'FORBIDDEN' } } });
});

describe('what is no message', () => {
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  test.for([
    ['nothing', '', 400, -32700],
    ['half a message', ping.slice(0, 20), 400, -32700],
    ['a deep one', `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":${deep(100_000)}}}`, 400, -32700],
    [
      'a million values',
      `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[${'0,'.repeat(1_000_000)}0]}}`,
      400,
      -32700,
    ],
    ['a batch', `[${ping}]`, 400, -32600],
    ['a number', '5', 400, -32600],
    ['null', 'null', 400, -32600],
    ['one without a version', '{"id":1,"method":"ping"}', 400, -32600],
  ] as const)('%s is refused', async ([, body, status, code]) => {
    const refused = await post(body);
    expect(refused.status).toBe(status);
    expect(await refused.json()).toMatchObject({ error: { code } });
  });

  test('one of 33 MiB is refused before it has come', async () => {
    const headers = { ...JSON_RPC, ...ANN, 'content-length': 33 * 1024 * 1024 };
    const sent = request(`${server.url}/mcp`, { method: 'POST', headers });
    sent.flushHeaders();
    const [refused] = (await once(sent, 'response')) as [IncomingMessage];
    expect(refused.statusCode).toBe(413);
    expect(JSON.parse(await text(refused))).toMatchObject({ error: { code: -31013 } });
    sent.destroy();
  });

  test.for([
    ['a session of no server', { 'mcp-session-id': 'x' }, 404],
    ['a version of no revision', { 'mcp-protocol-version': '1999-01-01' }, 400],
    ['a version that its body does not claim', { 'mcp-protocol-version': '2026-07-28' }, 400],
    ['a type that is not JSON', { 'content-type': 'text/plain' }, 415],
    ['no wish for events', { accept: 'application/json' }, 406],
  ] as const)('a message with %s is refused', async ([, headers, status]) => {
    const refused = await post(ping, { ...ANN, ...headers });
    expect(refused.status).toBe(status);
    expect(await refused.json()).toMatchObject({ jsonrpc: '2.0', error: { code: expect.any(Number) } });
  });
});

test('a client that begins session after session is stopped at the most there may be, and goes on when one has ended', async () => {
  const clients = await Promise.all(Array.from({ length: MOST_SESSIONS + 2 }, () => connect(ANN)));
  const answers = await Promise.all(clients.map(client => client.call('execute_code', { code: '1' })));
  const refused = answers.filter(({ isError }) => isError).map(textOf);
  expect(refused).toHaveLength(2);
  for (const words of refused) expect(words).toMatch(/^TOO_MANY_SESSIONS/);
  for (const client of clients) await client.transport.terminateSession();
  await using last = await connect(ANN);
  expect(await last.says('1')).toBe('1');
});

test('a client that goes away takes its cell along, and no more', async () => {
  const name = { ...ANN, 'mcp-session-id': crypto.randomUUID() };
  await answerTo(calling('execute_code', { code: 'x = 1' }), name);
  const leaving = new AbortController();
  const body = calling(
    'execute_code',
    { code: 'print("on", flush=True)\nimport time; time.sleep(60)' },
    { _meta: { progressToken: 1 } },
  );
  const response = await post(body, name, leaving.signal);
  await response.body!.getReader().read();
  leaving.abort();
  const next = await answerTo(calling('execute_code', { code: 'x' }), name);
  expect(next.result).toMatchObject({ content: [{ text: '1' }], structuredContent: { sessionBegan: false } });
  await fetch(`${server.url}/mcp`, { method: 'DELETE', headers: name });
});

test('a program that prints more than its client reads waits, and is ended by its time', async () => {
  const { sessionId } = (await answerTo(calling('create_session', {}))).result.structuredContent;
  // Prints all of it in a second where somebody reads.
  const code = 'import sys\nfor _ in range(512): sys.stdout.write("x" * 65_535 + "\\n")';
  const response = await post(
    calling('execute_code', { code, sessionId, timeout: 3 }, { _meta: { progressToken: 1 } }),
  );
  const state = async () => {
    const answer = await fetch(`${server.url}/api/session/${sessionId}`, { headers: ANN });
    return ((await answer.json()) as { state: string }).state;
  };
  await expect.poll(state).toBe('Idle');
  const events = await response.text();
  const { result } = JSON.parse(events.slice(events.lastIndexOf('data: ') + 6));
  expect(result).toMatchObject({ isError: true, structuredContent: { outcome: 'wall_timeout' } });
});
