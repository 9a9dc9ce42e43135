import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { SandboxLost } from '../../../src/sandbox.ts';
import { LIMITS } from '../../../src/schemas/limits.ts';
import type { Adapters } from '../../../src/service/debugging/adapters.ts';
import { ContentLengthReader, framed, MAX_MESSAGE_BYTES } from '../../../src/wire/content-length.ts';
import { DapClient } from '../../support/dap-client.ts';
import type { Ended, Scripted } from '../support/memory-process.ts';
import { openHttp } from '../support/open-http.ts';

/** The door for debuggers over an adapter in memory, which does what its client asks of it by name. */
const adapters: Adapters = { show: async () => '/packages/x/python' };

/** What the adapter was sent, and the newest one. */
let heard: { command?: string }[] = [];
let program!: Scripted;
let starts = true;

const http = await openHttp(
  { CODEBEAKER_API_KEYS: 'alice,bob' },
  {
    adapters,
    capabilities: { layers: true },
    async script(_, running): Promise<Ended> {
      if (!starts) {
        await running.print('Traceback:\nModuleNotFoundError: No module named debugpy\n', 'stderr');
        return { code: 1 };
      }
      program = running;
      const reader = new ContentLengthReader();
      let seq = 0;
      let deaf = false;
      const say = (message: object) => running.print(framed(JSON.stringify({ seq: ++seq, ...message })));
      for await (const piece of running.typed())
        for (const text of reader.push(piece)) {
          const { command, seq: request_seq, type, arguments: asked } = JSON.parse(text);
          heard.push(JSON.parse(text));
          deaf ||= command === 'silence';
          if (type !== 'request' || deaf) continue;
          if (command === 'say') for (const each of asked) await say(each);
          if (command === 'raw') await running.print(asked.text);
          if (command === 'exit') return { code: 3 };
          await say({ type: 'response', request_seq, command, success: true, body: { asked } });
        }
      return { code: 0 };
    },
  },
);
afterAll(() => http.app.close());

const base = http.url.replace('http', 'ws');
const owner = createHash('sha256').update('alice').digest('hex');
const key = { 'x-api-key': 'alice' };
let session: Awaited<ReturnType<typeof http.session>>;
beforeEach(async () => {
  heard = [];
  starts = true;
  session = await http.session({}, { owner });
});
afterEach(() => session.close().catch(() => {}));

/** For a busy machine. */
const PATIENCE = { timeout: 15_000 };
const start = (over: object = {}) =>
  http.service.debugging.start({ sessionId: session.id, ...over }, http.call({ owner }));
const ticket = async () => `${base}/ws/dap/${(await start()).debugId}`;
const process = () => http.runtime.last.processes.at(-1)!;

/** The status before an upgrade, or what was opened. */
function refusal(url: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const socket = new WebSocket(url, { headers });
  return new Promise(resolve => {
    socket.on('unexpected-response', (_, response) => {
      resolve(response.statusCode);
      socket.terminate();
    });
    socket.on('open', () => {
      resolve(undefined);
      socket.terminate();
    });
    socket.on('error', () => {});
  });
}

test.each([false, true])(
  'what is asked is answered by the adapter in the sandbox, framed: %s',
  async framing => {
    using client = await DapClient.connect(await ticket(), { framed: framing });
    expect(await client.ask('evaluate', { expression: 'ü' })).toEqual({ asked: { expression: 'ü' } });
    expect(process().spec).toMatchObject({
      argv: ['python3', '-B', '/packages/x/python/debugpy/adapter'],
      cwd: '/workspace',
      stdin: 'pipe',
    });
    await client.ask('disconnect');
    expect(await client.ended()).toEqual({ code: 1000, reason: '' });
    expect(process().runs).toBe(false);
  },
);

test('debug.start tells where to connect', async () => {
  const answer = await fetch(`${http.url}/api/jsonrpc`, {
    method: 'POST',
    headers: { ...key, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'debug.start', params: { sessionId: session.id } }),
  });
  const { result } = (await answer.json()) as { result: { url: string; debugId: string } };
  expect(result).toEqual({
    debugId: expect.stringMatching(/^[\w-]{32}$/),
    url: `/ws/dap/${result.debugId}`,
    adapter: { name: 'debugpy', version: expect.any(String) },
    language: 'python',
  });
  using client = await DapClient.connect(base + result.url);
  await client.ask('threads');
});

test('a ticket is good once, and for nobody who shows another’s key', async () => {
  const url = await ticket();
  expect(await refusal(url, { 'x-api-key': 'bob' })).toBe(404);
  expect(await refusal(url, { 'x-api-key': 'nobody' })).toBe(401);
  expect(await refusal(url, { origin: 'https://example.com' })).toBe(403);
  using client = await DapClient.connect(url);
  expect(await refusal(url)).toBe(404);
  await client.ask('threads');
});

test('a session is debugged in one step by whose it is', async () => {
  const url = `${base}/ws/dap/${session.id}`;
  using client = await DapClient.connect(`${url}?language=py`, { headers: key });
  await client.ask('threads');
  expect(await refusal(url, { 'x-api-key': 'bob' })).toBe(404);
  expect(await refusal(url)).toBe(404);
  expect(await refusal(`${url}?language=go`, key)).toBe(422);
  expect(await refusal(`${url}?language=py&language=py`, key)).toBe(400);
});

test('what is unknown is 404 before the upgrade, and no ticket is used up by who does not upgrade', async () => {
  expect(await refusal(`${base}/ws/dap/unknown`)).toBe(404);
  expect(await refusal(`${base}/ws/dap/${crypto.randomUUID()}`, key)).toBe(404);
  const url = await ticket();
  expect((await fetch(url.replace('ws', 'http'))).status).toBe(426);
  expect(await refusal(url)).toBeUndefined();
});

test('a client has half of all debuggers at most, and leaves others theirs', async () => {
  const { perClient } = LIMITS.allDebuggers;
  const sessions = await Promise.all(
    Array.from({ length: perClient / LIMITS.debuggers + 1 }, () => http.session({}, { owner })),
  );
  const call = http.call({ owner, client: owner });
  const startIn = ({ id }: { id: string }) => http.service.debugging.start({ sessionId: id }, call);
  const last = sessions.pop()!;
  await Promise.all(sessions.flatMap(each => Array.from({ length: LIMITS.debuggers }, () => startIn(each))));
  await expect(startIn(last)).rejects.toMatchObject({ code: 'QUEUE_FULL' });
  await start();
  await Promise.all([last, ...sessions].map(each => each.close()));
});

test('a session has four debuggers at most, and room again when one has ended', async () => {
  const [first, ...others] = await Promise.all([start(), start(), start(), start()]);
  await expect(start()).rejects.toMatchObject({ code: 'CONFLICT' });
  using client = await DapClient.connect(`${base}/ws/dap/${first!.debugId}`);
  await client.ask('disconnect');
  await client.ended();
  expect(await start()).toMatchObject({ language: 'python' });
  expect(others).toHaveLength(3);
});

test.each([
  ['RUNTIME_UNAVAILABLE', { language: 'go' }],
  ['UNSUPPORTED_LANGUAGE', { language: 'cobol' }],
  ['SESSION_NOT_FOUND', { sessionId: 'none' }],
])('%s: there is no debugger for that', async (code, over) => {
  await expect(start(over)).rejects.toMatchObject({ code });
});

test('a client that vanishes takes the adapter with it', async () => {
  const client = await DapClient.connect(await ticket());
  await client.ask('threads');
  const { killed } = program;
  client.socket.terminate();
  await vi.waitFor(() => expect(killed.aborted).toBe(true), PATIENCE);
  expect(process().kills).toEqual([{}]);
});

const running = { type: 'event', event: 'process', body: { name: 'x' } };

test('the end of its session ends a debugger’s connection, and its program is told to have ended', async () => {
  using client = await DapClient.connect(await ticket());
  await client.ask('say', [running]);
  await session.close();
  expect(await client.ended()).toEqual({ code: 1001, reason: 'The session has ended' });
  const told = client.messages.map(({ event, command }) => event ?? command);
  expect(told).toEqual(['process', 'say', 'exited', 'terminated']);
});

test('a sandbox that is out of memory as a whole is told so', async () => {
  using client = await DapClient.connect(await ticket());
  await client.ask('say', [running]);
  http.runtime.last.lose(new SandboxLost('out of memory', true));
  expect((await client.ended()).code).toBe(1001);
  expect(client.output('important')).toMatch(/^Memory limit exceeded/);
});

test('an adapter that dies is told with its last words, and its program’s end before', async () => {
  using client = await DapClient.connect(await ticket());
  client.say('say', [running]);
  await client.event('process');
  void program.print(`Traceback\n${'é'.repeat(200)}\n`, 'stderr');
  http.runtime.last.use({ oomKills: 1 });
  client.say('exit');
  expect(await client.ended()).toEqual({ code: 1011, reason: 'é'.repeat(61) });
  const told = client.messages.map(({ event, command }) => event ?? command);
  expect(told.filter(name => name !== 'say')).toEqual(['process', 'output', 'exited', 'terminated']);
  expect(client.output('important')).toBe('Memory limit exceeded (memory_limit): the session has 512 MB\n');
});

test.each([
  [0, ''],
  [1, ''],
  [137, 'Memory limit exceeded (memory_limit): the session has 512 MB\n'],
  // As debugpy tells a signal.
  [247, 'Memory limit exceeded (memory_limit): the session has 512 MB\n'],
])(
  'a program that ends with %i when something in its session was killed for memory',
  async (exitCode, told) => {
    using client = await DapClient.connect(await ticket());
    await client.ask('say', [running]);
    http.runtime.last.use({ oomKills: 1 });
    await client.ask('say', [{ type: 'event', event: 'exited', body: { exitCode } }]);
    expect(client.output('important')).toBe(told);
  },
);

test('one that does not start says why', async () => {
  starts = false;
  using client = await DapClient.connect(await ticket());
  client.say('initialize');
  expect(await client.ended()).toEqual({
    code: 1011,
    reason: 'ModuleNotFoundError: No module named debugpy',
  });
});

test.each([
  ['no frame', 'HTTP/1.1 200 OK\r\n\r\n'],
  ['a header without end', `Content-Length: ${'1'.repeat(10_000)}`],
  ['more than may come at once', `Content-Length: ${MAX_MESSAGE_BYTES + 1}\r\n\r\n`],
  ['no message', framed('[]').toString()],
  ['nothing but depth', framed('['.repeat(100_000)).toString()],
])('an adapter that says %s is ended, and the server goes on', async (_, text) => {
  using client = await DapClient.connect(await ticket());
  client.say('raw', { text });
  expect(await client.ended()).toMatchObject({
    code: 1011,
    reason: expect.stringMatching(/^The debugger said what is no message/),
  });
  expect(process().runs).toBe(false);
});

test('nothing is done that the adapter asks for', async () => {
  using client = await DapClient.connect(await ticket());
  await client.ask('say', [{ type: 'request', command: 'runInTerminal', arguments: { args: ['sh'] } }]);
  await client.ask('threads');
  expect(heard.map(({ command }) => command)).toEqual(['say', 'runInTerminal', 'threads']);
  expect(heard[1]).toMatchObject({ type: 'response', success: false });
  expect(client.messages.map(({ type }) => type)).toEqual(['response', 'response']);
});

test.each([
  ['no JSON', 1007, (socket: WebSocket) => socket.send('hello')],
  ['no message', 1007, (socket: WebSocket) => socket.send('{"seq":1}')],
  ['no frame', 1007, (socket: WebSocket) => socket.send(Buffer.from('GET / HTTP/1.1\r\n\r\n'))],
  ['a header of a megabyte', 1007, (socket: WebSocket) => socket.send(Buffer.alloc(1024 * 1024, 'c'))],
  ['too much', 1009, (socket: WebSocket) => socket.send('x'.repeat(MAX_MESSAGE_BYTES + 1))],
  [
    'one thing as text and another as bytes',
    1003,
    (socket: WebSocket) => {
      socket.send('{"seq":1,"type":"request","command":"silence"}');
      socket.send(Buffer.from('x'));
    },
  ],
])('a client that says %s is closed, and its adapter ended', async (_, code, say) => {
  using client = await DapClient.connect(await ticket());
  say(client.socket);
  expect((await client.ended()).code).toBe(code);
  expect(process().runs).toBe(false);
});

test('an adapter that does not answer a disconnect is ended, and it is answered for it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    using client = await DapClient.connect(await ticket());
    client.say('silence');
    const asked = client.say('disconnect');
    await vi.waitFor(() => expect(heard.at(-1)?.command).toBe('disconnect'), PATIENCE);
    expect(client.messages).toEqual([]);
    await vi.advanceTimersByTimeAsync(5000);
    expect(await client.answer(asked)).toMatchObject({ success: true });
    expect((await client.ended()).code).toBe(1000);
  } finally {
    vi.useRealTimers();
  }
});

test('a ticket that nobody shows within a minute ends its adapter', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const url = await ticket();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(process().runs).toBe(false);
    vi.useRealTimers();
    expect(await refusal(url)).toBe(404);
  } finally {
    vi.useRealTimers();
  }
});

test('a session that is debugged is not idle', async () => {
  const now = performance.now.bind(performance);
  let ahead = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + ahead);
  try {
    const limit = { idleTimeoutMinutes: 1 };
    const [debugged, beside] = [await http.session(limit, { owner }), await http.session(limit, { owner })];
    const { debugId } = await http.service.debugging.start({ sessionId: debugged.id }, http.call({ owner }));
    using client = await DapClient.connect(`${base}/ws/dap/${debugId}`);
    await client.ask('threads');
    ahead = 120_000;
    const gone = { code: 'SESSION_NOT_FOUND' };
    await vi.waitFor(() => expect(beside.info()).rejects.toMatchObject(gone), PATIENCE);
    expect((await debugged.info()).state).toBe('Active');
    await client.ask('disconnect');
    await client.ended();
    await vi.waitFor(() => {
      ahead += 120_000;
      return expect(debugged.info()).rejects.toMatchObject(gone);
    }, PATIENCE);
  } finally {
    clock.mockRestore();
  }
});
