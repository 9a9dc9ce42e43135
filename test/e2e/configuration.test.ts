import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { http, runOnce } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';
import { failToStart, type RunningServer, startServer } from '../support/start-server.ts';

/** A server with a wrong setting does not start and says why; one with a right setting keeps to it. What is wrong of each: see ../config.test.ts. */
describe('a server does not start', () => {
  test.for([
    ['with an unknown name', { CODEBEAKER_COLOUR: 'red' }, 'CODEBEAKER_COLOUR'],
    [
      'with a data directory that cannot be made',
      { CODEBEAKER_DATA_DIR: '/dev/null/data' },
      '/dev/null/data',
    ],
    ['on all addresses without keys', { HOST: '0.0.0.0' }, 'CODEBEAKER_API_KEYS'],
  ] as [string, Record<string, string>, string][])('%s', async ([, env, named]) => {
    const { code, log } = await failToStart({ env });
    expect(code).not.toBe(0);
    expect(log).toContain(named);
    expect(log).not.toMatch(/^\s+at .*:\d+:\d+/m);
  });
});

describe('a server with small limits', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      env: {
        CODEBEAKER_RUNTIMES: 'Python',
        CODEBEAKER_MAX_SESSIONS: '2',
        CODEBEAKER_MAX_CONCURRENCY: '1',
        CODEBEAKER_MAX_QUEUE: '3',
        CODEBEAKER_MAX_OUTPUT_BYTES: '1000',
        CODEBEAKER_MAX_STREAM_BYTES: '100000',
        CODEBEAKER_MAX_TIMEOUT_SECONDS: '3',
        CODEBEAKER_MAX_MEMORY_MB: '256',
        // More than its tests ask in a second, but for the last.
        CODEBEAKER_RATE_LIMIT: '40',
      },
    });
  });
  afterAll(() => server.stop());

  test('refuses a session too many, and takes one again when another has gone', async () => {
    const client = await RpcClient.connect(server.wsUrl);
    const create = () => client.call('session.create', { language: 'python', memoryLimitMB: 128 });
    const one = await create();
    const two = await create();
    const error = await create().catch((e: unknown) => e);
    expect(error).toMatchObject({ data: { code: 'TOO_MANY_SESSIONS' } });
    const over = await http(`${server.url}/api/session`, 'POST', { language: 'python', memoryLimitMB: 128 });
    expect(over.status).toBe(429);
    expect(over.headers.get('retry-after')).not.toBeNull();
    await client.call('session.close', { sessionId: one.sessionId });
    const three = await create();
    for (const { sessionId } of [two, three]) await client.call('session.close', { sessionId });
    await client.close();
  });

  test('keeps and streams no more output than it should', async () => {
    const config = { memoryLimit: 128 };
    const kept = await runOnce(server.url, { language: 'python', code: `print('x' * 5000)`, config });
    expect(kept).toMatchObject({ outcome: 'ok', truncated: true, stdoutBytes: 5001 });
    expect(kept.stdout).toHaveLength(1000);
    const flood = await runOnce(server.url, {
      language: 'python',
      code: `while True: print('x' * 5000)`,
      config,
    });
    expect(flood).toMatchObject({ outcome: 'output_limit' });
  });

  test('queues what is too much at once, and refuses what is too much to queue', async () => {
    const run = { language: 'python', code: 'import time; time.sleep(1)', config: { memoryLimit: 128 } };
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => http(`${server.url}/api/execution`, 'POST', run)),
    );
    const taken = answers.filter(a => a.status === 200);
    const refused = answers.filter(a => a.status !== 200);
    expect(taken.length).toBeGreaterThanOrEqual(3);
    expect(taken.length).toBeLessThanOrEqual(5);
    expect(refused.every(a => a.status === 503 && a.headers.get('retry-after') !== null)).toBe(true);
    for (const { body } of taken) await http(`${server.url}/api/execution/${body.executionId}`, 'DELETE');
  });

  test('bounds timeout and memory, in initialize too', async () => {
    const over = { language: 'python', code: '1', config: { timeout: 4 } };
    expect((await http(`${server.url}/api/execution`, 'POST', over)).status).toBe(400);
    const client = await RpcClient.connect(server.wsUrl);
    const { serverCapabilities } = await client.call('initialize', {});
    expect(serverCapabilities.limits).toMatchObject({ maxTimeout: 3, maxMemory: 256, maxConcurrency: 1 });
    await client.close();
  });

  test('cuts the default timeouts to its highest', async () => {
    const run = { language: 'python', code: 'import time; time.sleep(9)', config: { memoryLimit: 128 } };
    expect(await runOnce(server.url, run)).toMatchObject({ outcome: 'wall_timeout' });
    await using session = await TestSession.open(server.wsUrl, { language: 'python', memoryLimitMB: 128 });
    expect(await session.cell(run.code)).toMatchObject({ result: { outcome: 'wall_timeout' } });
    expect(await session.shell('sleep', ['9'])).toMatchObject({ outcome: 'wall_timeout' });
  });

  test('answers 429 with Retry-After', async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => http(`${server.url}/api/language`)));
    const limited = answers.filter(a => a.status === 429);
    expect(limited.length).toBeGreaterThan(0);
    expect(limited[0]).toMatchObject({ body: { code: 'RATE_LIMITED' } });
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  });
});
