import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { WebSocket } from 'ws';
import { longestWait } from '../support/longest-wait.ts';
import { executionUntil, http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';
import { mark, vanishes } from '../support/traces.ts';
import { serverIsWell } from './probe.ts';

/** Clients that go away, flood, or want more than their share; the next one notices nothing. */
const shared = inject('server');
const SLEEP = 'import subprocess; print("before", flush=True); subprocess.run(["sleep", "60"])';

describe('a client that goes away in mid-run', () => {
  test('takes its execution.run with it', async () => {
    const trace = mark();
    const client = await RpcClient.connect(shared.wsUrl);
    const config = { environment: trace.environment };
    client.request('execution.run', { language: 'python', code: SLEEP, config, stream: true });
    const { params } = await client.notified(({ method }) => method === 'execution.output');
    expect(await vanishes(() => (trace.processes().length ? [] : ['nothing runs']))).toEqual([]);
    client.socket.terminate();
    expect(await vanishes(trace.processes)).toEqual([]);
    const end = await executionUntil(shared.url, params.executionId, ({ status }) => status !== 'running');
    expect(end).toMatchObject({ status: 'cancelled', stdout: 'before\n' });
  });

  test('leaves its session, which goes on when it is attached again', async () => {
    const one = await TestSession.open(shared.wsUrl, { language: 'python' });
    await one.prints('x = 42');
    const running = one.client.request('session.execute', {
      sessionId: one.id,
      command: { type: 'execute_code', code: 'import time; time.sleep(1); y = x + 1' },
      stream: true,
    });
    running.reply.catch(() => {});
    await one.client.notified(({ method }) => method === 'execution.started');
    one.client.socket.terminate();
    const again = await RpcClient.connect(shared.wsUrl);
    await again.call('session.attach', { sessionId: one.id });
    const command = { type: 'execute_code', code: 'print(x, y)' };
    const { result } = await again.call('session.execute', { sessionId: one.id, command });
    expect(result.stdout).toBe('42 43\n');
    await again.call('session.close', { sessionId: one.id });
    await again.close();
  });
});

describe('a flood', () => {
  /** Of a million by hand; what may go by in one go is as much less. */
  const FLOOD = Number(process.env.CODEBEAKER_FLOOD ?? 500_000);
  const AT_ONCE = 10_000;
  const LONGEST_MS = FLOOD / 200;
  /** The TCP stream below a WebSocket. */
  const below = async (): Promise<Socket> => {
    const socket = new WebSocket(shared.wsUrl, { perMessageDeflate: false });
    socket.on('error', () => {});
    await new Promise(resolve => socket.once('open', resolve));
    return (socket as unknown as { _socket: Socket })._socket;
  };

  /** A masked frame of one byte, or of none. */
  const frame = (head: number, length: 0 | 1) =>
    Buffer.from([head, 0x80 | length, 0, 0, 0, 0, ...(length ? [0x31] : [])]);
  const TEXT = 0x81;
  const PING = 0x89;
  const FIRST_PART = 0x01;
  const NEXT_PART = 0x00;

  test.for([
    ['messages of one character', [], frame(TEXT, 1)],
    ['pings', [], frame(PING, 0)],
    ['fragments of one message', [frame(FIRST_PART, 1)], frame(NEXT_PART, 1)],
    ['empty fragments', [frame(FIRST_PART, 0)], frame(NEXT_PART, 0)],
  ] as const)(`of ${FLOOD} %s holds up nobody else`, { timeout: 120_000 }, async ([, first, one]) => {
    const socket = await below();
    socket.resume();
    const chunk = Buffer.concat(Array(AT_ONCE).fill(one));
    const other = await RpcClient.connect(shared.wsUrl);
    for (const part of first) socket.write(part);
    const flooding = async () => {
      for (let i = 0; i < FLOOD / AT_ONCE && !socket.destroyed; i++) {
        if (!socket.write(chunk))
          await new Promise(resolve => {
            socket.once('drain', resolve);
            socket.once('close', resolve);
          });
        if (i % 5 === 0) await other.call('ping');
      }
    };
    expect(await longestWait(shared, flooding())).toBeLessThan(LONGEST_MS);
    socket.destroy();
    await other.close();
    await serverIsWell();
  });

  test('of slow connections holds up nobody else', async () => {
    const { hostname, port } = new URL(shared.url);
    const sockets = Array.from({ length: 300 }, () => connect(Number(port), hostname).on('error', () => {}));
    for (const socket of sockets) socket.write('GET /ws/jsonrpc HTTP/1.1\r\nHost: 127');
    await serverIsWell();
    for (const socket of sockets) socket.destroy();
  });
});

describe('a server with little room', () => {
  const SESSIONS = 7;
  const KEYS = ['first-key-0123456789abcdef', 'second-key-0123456789abcdef'] as const;
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      env: {
        CODEBEAKER_RUNTIMES: 'Python',
        CODEBEAKER_MAX_SESSIONS: String(SESSIONS),
        CODEBEAKER_MAX_CONCURRENCY: '1',
        CODEBEAKER_MAX_QUEUE: '40',
        CODEBEAKER_API_KEYS: KEYS.join(','),
      },
    });
  });
  afterAll(() => server.stop());
  const as = (key: string) => ({ 'x-api-key': key });
  const submit = (key: string, code: string) =>
    http(`${server.url}/api/execution`, 'POST', { language: 'python', code }, as(key));

  test('makes exactly as many sessions as it may under fifty that are asked for at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, () =>
        http(`${server.url}/api/session`, 'POST', { language: 'python' }, as(KEYS[0])),
      ),
    );
    const made = answers.filter(({ status }) => status === 201 || status === 200);
    const refused = answers.filter(({ status }) => status === 429);
    expect([made.length, refused.length]).toEqual([SESSIONS, 50 - SESSIONS]);
    for (const { body, headers } of refused) {
      expect(body.code).toBe('TOO_MANY_SESSIONS');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    for (const { body } of made)
      await http(`${server.url}/api/session/${body.sessionId}`, 'DELETE', undefined, as(KEYS[0]));
  });

  test('serves one key while another floods', async () => {
    const flood = await Promise.all(
      Array.from({ length: 60 }, () => submit(KEYS[0], 'import time; time.sleep(0.1)')),
    );
    const taken = flood.filter(({ body }) => body.executionId);
    const refused = flood.filter(({ status }) => status === 503);
    expect(refused.length).toBeGreaterThan(0);
    for (const { body, headers } of refused) {
      expect(body.code).toBe('QUEUE_FULL');
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    }
    const mine = await http(
      `${server.url}/api/execution?wait=true`,
      'POST',
      { language: 'python', code: 'print(1)' },
      as(KEYS[1]),
    );
    expect(mine.body).toMatchObject({ outcome: 'ok', stdout: '1\n' });
    const states = await Promise.all(
      taken.map(({ body }) =>
        http(`${server.url}/api/execution/${body.executionId}`, 'GET', undefined, as(KEYS[0])),
      ),
    );
    const done = states.filter(({ body }) => body.completedAt !== null);
    // At most one of the flood's runs was before it, and another may have ended while it was asked.
    expect(done.length).toBeLessThan(taken.length / 2);
  });
});
