import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';
import { ALL_BUT_GO, type RunningServer, startServer } from '../support/start-server.ts';
import { type Family, familyOf, mark, remains, vanishes } from '../support/traces.ts';

/** Long enough for what ends by itself, and waited for once by what does not. */
const DRAIN_SECONDS = '3';
const FOREVER = 'while True: pass';
/** As long, and takes no core from what is to end in time. */
const WAITS = {
  python: 'import time; time.sleep(1000)',
  javascript: 'await new Promise(done => setTimeout(done, 1_000_000))',
};
/** Leaves something behind that no polite signal ends. */
const DAEMON = `
import subprocess, time
subprocess.run(['sh', '-c', '(trap "" TERM HUP; setsid sleep 299 >/dev/null 2>&1 &)'])
print('before'); time.sleep(1000)`;
const SHUTTING_DOWN = { code: -31063, data: { code: 'SHUTTING_DOWN', retryAfter: expect.any(Number) } };
const RUNTIMES = [
  { runtimeType: 'Python', language: 'python' },
  { runtimeType: 'Docker', language: 'python' },
  { runtimeType: 'Bun', language: 'javascript' },
  { runtimeType: 'Deno', language: 'typescript' },
  { runtimeType: 'NodeJs', language: 'javascript' },
] as const;

describe('a server that gets SIGTERM', () => {
  let server: RunningServer;
  let dataDir: string;
  let available: (typeof RUNTIMES)[number][];
  const sessions = new Map<string, TestSession>();
  /** What each runtime's cell that does not end by itself was told. */
  const told = new Map<string, Promise<unknown>>();
  let ending: TestSession;
  let ended: Promise<unknown>;
  let oneShot: { reply: Promise<unknown>; executionId: string };
  let exited: Promise<number | null>;
  const trace = mark();
  let family: Family;

  beforeAll(async () => {
    server = await startServer({
      env: { CODEBEAKER_RUNTIMES: ALL_BUT_GO, CODEBEAKER_DRAIN_SECONDS: DRAIN_SECONDS },
    });
    ({ dataDir } = server);
    const { runtimes } = (await http(`${server.url}/health`)).body;
    available = RUNTIMES.filter(({ runtimeType }) => runtimes[runtimeType]?.available);
    for (const { runtimeType, language } of available) {
      const session = await TestSession.open(server.wsUrl, { runtimeType, language });
      sessions.set(runtimeType, session);
      const code = WAITS[language === 'python' ? 'python' : 'javascript'];
      const running = session.command('execute_code', { id: 'cut', code }, { stream: true });
      told.set(
        runtimeType,
        running.catch((error: unknown) => error),
      );
      await session.client.notified(n => n.method === 'execution.started');
    }
    const client = await RpcClient.connect(server.wsUrl);
    const { environment } = trace;
    const program = {
      language: 'python',
      code: DAEMON,
      runtimeType: 'Python',
      stream: true,
      config: { environment },
    };
    const reply = client.call('execution.run', program).catch((error: unknown) => error);
    const { params } = await client.notified(n => n.method === 'execution.output');
    oneShot = { reply, executionId: params.executionId };
    ending = await TestSession.open(server.wsUrl, { language: 'python', runtimeType: 'Python', environment });
    const code = 'import time\nprint("going")\ntime.sleep(1)\n"in time"';
    ended = ending.command('execute_code', { code }, { stream: true });
    await ending.client.notified(n => n.method === 'execution.output');
    const before = [...sessions.values()].map(session => session.client);
    expect(before.every(({ closed }) => closed === undefined)).toBe(true);
    expect(trace.processes().length).toBeGreaterThan(0);
    family = familyOf(server.pid);
    process.kill(server.pid, 'SIGTERM');
    await vi.waitUntil(() => server.log().includes('the server ends'), { timeout: 60_000 });
  });
  afterAll(() => server?.kill9().catch(() => {}));

  test('takes nothing new, and says when to come back', async () => {
    const { client, id: sessionId } = ending;
    const command = { type: 'list_directory' };
    expect(await client.refused('session.execute', { sessionId, command })).toMatchObject(SHUTTING_DOWN);
    expect(await client.refused('session.create', { language: 'python' })).toMatchObject(SHUTTING_DOWN);
    const program = { language: 'python', code: '1' };
    expect(await client.refused('execution.run', program)).toMatchObject(SHUTTING_DOWN);
    const refused = await http(`${server.url}/api/execution`, 'POST', program);
    expect(refused).toMatchObject({ status: 503, body: { code: 'SHUTTING_DOWN' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await http(`${server.url}/health/ready`)).status).toBe(503);
    expect((await http(`${server.url}/health/live`)).status).toBe(200);
    expect((await client.call('session.get', { sessionId })).sessionId).toBe(sessionId);
  });

  test('lets what runs end', async () => {
    expect(await ended).toMatchObject({
      success: true,
      result: { results: [{ 'text/plain': "'in time'" }] },
    });
  });

  test('tells a cell that it cuts off why, on every runtime', async () => {
    for (const { runtimeType } of available) {
      expect(await told.get(runtimeType), runtimeType).toMatchObject(SHUTTING_DOWN);
      const { client } = sessions.get(runtimeType)!;
      const { params } = await client.notified(n => n.method === 'execution.completed');
      expect(params).toMatchObject({ status: 'cancelled', message: 'The server is shutting down' });
    }
    expect(await oneShot.reply).toMatchObject({
      ...SHUTTING_DOWN,
      data: { details: expect.stringContaining(oneShot.executionId) },
    });
  });

  test('ends in order, and leaves nothing', async () => {
    const { client } = ending;
    await client.until(() => client.closed !== undefined);
    expect(client.closed?.code).toBe(1001);
    exited = vi.waitFor(() => expect(() => process.kill(server.pid, 0)).toThrow(), {
      timeout: 60_000,
      interval: 50,
    }) as unknown as typeof exited;
    await exited;
    expect(await vanishes(() => remains(family))).toEqual([]);
    expect(trace.processes()).toEqual([]);
  });

  test('tells those who come back to the next one', async () => {
    const next = await startServer({ dataDir, env: { CODEBEAKER_RUNTIMES: 'Bun' } });
    try {
      const gone = await http(`${next.url}/api/session/${ending.id}`);
      expect(gone).toMatchObject({
        status: 404,
        body: {
          code: 'SESSION_NOT_FOUND',
          reason: 'shutdown',
          details: expect.stringContaining('shut down'),
        },
      });
      const never = await http(`${next.url}/api/session/${crypto.randomUUID()}`);
      expect(never).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
      expect(never.body).not.toHaveProperty('reason');
      const { body } = await http(`${next.url}/api/execution/${oneShot.executionId}`);
      expect(body).toMatchObject({ status: 'cancelled', message: 'The server is shutting down' });
    } finally {
      await next.stop();
    }
  });
});

test('a second signal ends the server at once', async () => {
  const server = await startServer({
    env: { CODEBEAKER_DRAIN_SECONDS: '3600', CODEBEAKER_RUNTIMES: 'Python' },
  });
  const session = await TestSession.open(server.wsUrl, { language: 'python' });
  const running = session.command('execute_code', { code: FOREVER, timeout: 300 }, { stream: true });
  running.catch(() => {});
  await session.client.notified(n => n.method === 'execution.started');
  process.kill(server.pid, 'SIGTERM');
  await vi.waitUntil(() => server.log().includes('the server ends'), { timeout: 60_000 });
  // What npm passes on comes right behind, and is no second one.
  await new Promise(resolve => setTimeout(resolve, 200));
  expect(session.client.closed).toBe(undefined);
  expect(await server.stop()).toBe(1);
  expect(server.log()).toContain('SIGTERM again: the server ends at once');
});
