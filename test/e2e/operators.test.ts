import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';

/** What operators see of requests: ids, lines in the log and metrics, and nothing that is the client's own. */
const ann = { authorization: 'Bearer key-of-ann-0001' };
const prometheus = { authorization: 'Bearer key-of-prometheus' };
/** In everything that a client sends below, and in what its programs print. */
const SECRET = 'hush-7f3a';
let server: RunningServer;

beforeAll(async () => {
  server = await startServer({
    env: {
      LOG_LEVEL: 'trace',
      CODEBEAKER_API_KEYS: 'key-of-ann-0001',
      CODEBEAKER_METRICS_KEYS: 'key-of-prometheus',
    },
  });
});
afterAll(() => server.stop());

const lines = () =>
  server
    .log()
    .split('\n')
    .filter(line => line.startsWith('{'))
    .map(line => JSON.parse(line) as Record<string, unknown>);
const metrics = async () => String((await http(`${server.url}/metrics`, 'GET', undefined, prometheus)).body);
const rpc = (method: string, params = {}) => ({ jsonrpc: '2.0', id: 1, method, params });

describe('a request id', () => {
  test.for([
    ['GET', '/api/language', undefined, 200],
    ['GET', '/health', undefined, 200],
    ['POST', '/api/jsonrpc', rpc('ping'), 200],
    ['POST', '/api/execution', { language: 'none', code: 'x' }, 422],
    ['POST', '/api/execution', { code: 1 }, 400],
    ['GET', '/nowhere', undefined, 404],
    ['PUT', '/api/execution', {}, 405],
    ['GET', '/api/%E0%A4%A', undefined, 400],
  ] as [string, string, object | undefined, number][])(
    'that %s %s brings comes back and is in the log',
    async ([method, path, body, status]) => {
      const id = `req:${method}.${status}/${crypto.randomUUID()}`;
      const answer = await http(`${server.url}${path}`, method, body, { ...ann, 'x-request-id': id });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('x-request-id')).toBe(id);
      // Before a route is found there is no hook that logs.
      if (!path.includes('%'))
        await expect
          .poll(() => lines().filter(line => line.requestId === id && line.msg === 'request'))
          .toMatchObject([{ method, status }]);
    },
  );

  test('is given where a request has none, or one that could not stand in a log', async () => {
    for (const given of [undefined, '', 'two words', 'x'.repeat(129), '{"a":1}', 'a,b', 'ä']) {
      const headers = given === undefined ? ann : { ...ann, 'x-request-id': given };
      const id = (await http(`${server.url}/api/language`, 'GET', undefined, headers)).headers.get(
        'x-request-id',
      );
      expect(id, given).toMatch(/^[0-9a-f-]{36}$/);
    }
    const refused = await http(`${server.url}/api/language`);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('is in every line about its request, to the end of its run', async () => {
    const headers = { ...ann, 'x-request-id': 'one-run' };
    const run = { language: 'python', code: 'print(1)' };
    const { body } = await http(`${server.url}/api/execution?wait=true`, 'POST', run, headers);
    const told = () => lines().filter(line => line.executionId === body.executionId);
    await expect.poll(() => told().map(line => line.msg)).toContain('closed');
    for (const line of told()) expect(line.requestId).toBe('one-run');
    const batch = [rpc('ping'), rpc('session.get', { sessionId: 'none' }), rpc('no.such')];
    await http(`${server.url}/api/jsonrpc`, 'POST', batch, { ...ann, 'x-request-id': 'one-batch' });
    const calls = () =>
      lines()
        .filter(line => line.requestId === 'one-batch' && line.msg === 'JSON-RPC request')
        .map(({ rpcMethod, code }) => [rpcMethod, code])
        .sort();
    await expect.poll(calls).toEqual([
      ['ping', 'ok'],
      ['session.get', '-31014'],
      ['unknown', '-32601'],
    ]);
  });
});

test('the log has nothing of code, input, output, environment, arguments, files or keys', async () => {
  const program = `import sys, os
print(${JSON.stringify(SECRET)}, sys.stdin.read(), os.environ["MINE"], sys.argv)
sys.stderr.write(open("f").read())
raise ValueError(${JSON.stringify(SECRET)})`;
  const post = (path: string, body: unknown) => http(`${server.url}${path}`, 'POST', body, ann);
  const run = {
    language: 'python',
    code: program,
    stdin: SECRET,
    args: [SECRET],
    files: [{ path: 'f', content: SECRET }],
    config: { environment: { MINE: SECRET } },
  };
  const { body } = await post('/api/execution?wait=true', run);
  expect(body.stdout).toContain(SECRET);
  const raw = { method: 'POST', headers: { ...ann, 'content-type': 'application/json' } };
  // What is refused has a way of its own into the log.
  for (const bad of [
    { ...run, stdin: 1 },
    { ...run, extra: SECRET },
    { ...run, runtimeType: SECRET },
    { ...run, dockerImage: SECRET },
    { ...run, language: SECRET },
    { ...run, config: { memoryLimit: 99_999, environment: { MINE: SECRET } } },
  ])
    expect((await post('/api/execution', bad)).status).toBeGreaterThanOrEqual(400);
  for (const path of ['/api/execution', '/api/jsonrpc', `/api/${SECRET}`, `/api/execution?code=${SECRET}`])
    await fetch(`${server.url}${path}`, { ...raw, body: `{"code": "${SECRET}"` });
  const client = await RpcClient.connect(server.wsUrl, { headers: ann });
  await client.refused('execution.run', { ...run, args: SECRET });
  await client.refused(SECRET, { [SECRET]: SECRET });
  const { sessionId } = await client.call('session.create', {
    language: 'python',
    environment: { MINE: SECRET },
    metadata: { note: SECRET },
  });
  for (const command of [
    { type: 'write_file', path: `${SECRET}.txt`, content: SECRET },
    { type: 'execute_code', code: program, stdin: SECRET },
    { type: 'execute_shell', commandName: SECRET, args: [SECRET] },
    { type: 'read_file', path: `${SECRET}/none` },
  ])
    await client.call('session.execute', { sessionId, command });
  await client.call('session.close', { sessionId });
  await client.close();
  await expect.poll(() => lines().filter(({ operation }) => operation === 'sessions.execute').length).toBe(4);
  expect(lines().length).toBeGreaterThan(40);
  // The lines, so that a failure shows one and not all.
  expect(lines().filter(line => JSON.stringify(line).includes(SECRET))).toEqual([]);
  expect(server.log()).not.toMatch(/key-of/);
});

describe('/metrics', () => {
  test('answers an operator’s key and no client’s, where there are keys', async () => {
    const ask = async (headers: Record<string, string>, path = '/metrics') =>
      (await http(`${server.url}${path}`, 'GET', undefined, headers)).status;
    expect(await ask(prometheus)).toBe(200);
    expect(await ask({ 'x-api-key': 'key-of-prometheus' })).toBe(200);
    expect(await ask(ann)).toBe(403);
    expect(await ask({})).toBe(401);
    expect(await ask({ authorization: 'Bearer nobody' })).toBe(401);
    expect(await ask(prometheus, '/api/session')).toBe(401);
  });

  test('has outcomes by language and runtime, queue waits and starts of sandboxes, from the first run on', async () => {
    const runs = (outcome: string) =>
      new RegExp(
        `^codebeaker_runs_total\\{language="javascript",runtime="Bun",outcome="${outcome}"\\} (\\d+)$`,
        'm',
      );
    const waits = /^codebeaker_queue_wait_seconds_count (\d+)$/m;
    const starts = /^codebeaker_sandbox_creation_seconds_count\{runtime="Bun",pool="(?:hit|miss)"\} (\d+)$/gm;
    const read = async () => {
      const text = await metrics();
      return {
        failed: Number(runs('nonzero_exit').exec(text)?.[1]),
        limits: Number(runs('memory_limit').exec(text)?.[1]),
        waits: Number(waits.exec(text)?.[1]),
        starts: [...text.matchAll(starts)].reduce((sum, [, count]) => sum + Number(count), 0),
      };
    };
    const before = await read();
    expect(before.limits).toBe(0);
    const run = { language: 'javascript', code: 'process.exit(3)', runtimeType: 'Bun' };
    await http(`${server.url}/api/execution?wait=true`, 'POST', run, ann);
    expect(await read()).toEqual({
      failed: before.failed + 1,
      limits: 0,
      waits: before.waits + 1,
      starts: before.starts + 1,
    });
  });

  test('has no more series however many names clients make up', async () => {
    const ofOurs = async () =>
      (await metrics())
        .split('\n')
        .filter(line => line.startsWith('codebeaker_'))
        .map(line => line.split(' ')[0]);
    const ask = async (name: string) => {
      await http(`${server.url}/${name}`, 'GET', undefined, ann);
      await http(`${server.url}/api/language/${name}`, 'GET', undefined, ann);
      await http(`${server.url}/api/execution`, 'POST', { language: name, code: 'x' }, ann);
      await http(`${server.url}/api/jsonrpc`, 'POST', rpc(name), ann);
    };
    await ask('first');
    const before = await ofOurs();
    await ask('second');
    expect(await ofOurs()).toEqual(before);
  });
});
