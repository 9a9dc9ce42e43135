import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { ALL_BUT_GO, launch, type RunningServer, startServer } from '../support/start-server.ts';

/** Health, metrics and the start-up table, with runtimes and without any. */
const shared = inject('server');
const WAIT = { timeout: 25_000, interval: 20 };

test('health names each runtime and the metrics are Prometheus text', async () => {
  const { status, body } = await http(`${shared.url}/health`);
  expect(status).toBe(200);
  expect(body.runtimes).toMatchObject({ Python: { available: true }, Bun: { available: true } });
  for (const path of ['live', 'ready', 'startup']) {
    expect((await http(`${shared.url}/health/${path}`)).status).toBe(200);
  }
  const metrics = await http(`${shared.url}/metrics`);
  expect(metrics.headers.get('content-type')).toContain('text/plain');
  expect(metrics.body).toMatch(/^# HELP \w+/m);
  expect(metrics.body).toMatch(/^codebeaker_sandbox_starts_failed\{runtime="Bun",reason="filters"\} 0$/m);
});

describe('a server without any runtime', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await startServer({
      env: { PATH: '/nonexistent', DOCKER_HOST: 'unix:///nonexistent', CODEBEAKER_RUNTIMES: ALL_BUT_GO },
    });
  });
  afterAll(() => server.stop());

  test('starts, says why nothing can run and what cures it', async () => {
    expect(server.log()).toMatch(/unavailable/i);
    const { body } = await http(`${server.url}/health`);
    expect(body.runtimes.Python).toMatchObject({ available: false, reason: expect.any(String) });
    expect(body.runtimes.Python.cure ?? body.runtimes.Python.reason).toMatch(/\w/);
  });

  test('answers /docs and liveness, and is not ready', async () => {
    expect((await http(`${server.url}/docs`)).status).toBe(200);
    expect((await http(`${server.url}/health/live`)).status).toBe(200);
    expect((await http(`${server.url}/health/ready`)).status).toBe(503);
  });

  test('refuses to run code with that reason', async () => {
    const answer = await http(`${server.url}/api/execution`, 'POST', {
      language: 'python',
      code: 'print(1)',
    });
    expect(answer).toMatchObject({ status: 422, body: { code: 'RUNTIME_UNAVAILABLE' } });
    expect(`${answer.body.message} ${answer.body.details}`).toContain('Python');
    const client = await RpcClient.connect(server.wsUrl);
    const refused = await client.refused('session.create', { language: 'javascript' });
    expect(refused.data.code).toBe('RUNTIME_UNAVAILABLE');
    await client.close();
  });
});

test('a server whose runtimes are still being probed says so, and CODEBEAKER_RUNTIMES limits what is used', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'codebeaker-test-'));
  const [held, go] = [join(directory, 'held'), join(directory, 'go')];
  // What starts the launcher waits until it is let go.
  const slow = `#!/bin/sh\n: > ${held}\nwhile [ ! -e ${go} ]; do sleep 0.05; done\nexec /usr/bin/unshare "$@"\n`;
  await writeFile(join(directory, 'unshare'), slow, { mode: 0o755 });
  const env = { PATH: `${directory}:${process.env.PATH}`, CODEBEAKER_RUNTIMES: 'Bun' };
  const { child, log } = launch(join(directory, 'data'), { env });
  try {
    const url = await vi.waitFor(() => {
      expect(existsSync(held)).toBe(true);
      return /starts on (http:\S+)/.exec(log())![1]!;
    }, WAIT);
    const { body } = await http(`${url}/health`);
    expect(body.runtimes).toEqual({
      Bun: { available: false, reason: 'starting', cure: null, version: null },
    });
    const startup = await http(`${url}/health/startup`);
    expect(startup).toMatchObject({ status: 503, body: { status: 'starting' } });
    expect(log()).not.toContain('CodeBeaker listens on');
    await writeFile(go, '');
    await vi.waitFor(async () => expect((await http(`${url}/health/startup`)).status).toBe(200), WAIT);
    expect((await http(`${url}/health`)).body.runtimes.Bun).toMatchObject({ available: true });
    const python = { language: 'python', code: 'print(1)' };
    expect((await http(`${url}/api/execution`, 'POST', python)).body.code).toBe('RUNTIME_UNAVAILABLE');
    const run = { language: 'javascript', code: 'console.log(1)' };
    expect((await http(`${url}/api/execution?wait=true`, 'POST', run)).body.stdout).toBe('1\n');
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    await rm(directory, { recursive: true, force: true });
  }
});
