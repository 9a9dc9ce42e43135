import { expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { executionPrints, http, runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { failToStart, startServer } from '../support/start-server.ts';
import { familyOf, mark, processIds, remains, vanishes } from '../support/traces.ts';

/** What a server's death leaves: nothing that runs, and an end for every execution. */
const SLEEP = 'import time; print("before"); time.sleep(300)';
const DAEMON = `
import subprocess, time
subprocess.run(['sh', '-c', '(trap "" TERM HUP; setsid sleep 299 >/dev/null 2>&1 &)'])
print('before'); time.sleep(300)`;

test('kill -9 in mid-run leaves nothing, every execution gets an end, and its data serve one server at a time', async () => {
  const server = await startServer();
  const trace = mark();
  const done = await runOnce(server.url, { language: 'python', code: 'print("kept")' });
  const config = { timeout: 300, environment: trace.environment };
  const ids = [];
  for (const code of [SLEEP, DAEMON]) {
    const { body } = await http(`${server.url}/api/execution`, 'POST', { language: 'python', code, config });
    ids.push(body.executionId);
  }
  const session = await TestSession.open(server.wsUrl, {
    language: 'javascript',
    environment: trace.environment,
  });
  const command = { type: 'execute_shell', commandName: 'sh', args: ['-c', 'echo begun; exec sleep 300'] };
  const { client } = session;
  client.call('session.execute', { sessionId: session.id, command, stream: true }).catch(() => {});
  await client.notified(({ method }) => method === 'execution.output');
  for (const id of ids) await executionPrints(server.url, id, 'before');
  // What an interpreter that waited was told does not show on itself: the daemon and the command do at least.
  expect(trace.processes().length).toBeGreaterThanOrEqual(2);
  const family = familyOf(server.pid);

  await server.kill9();
  expect(await vanishes(() => remains(family))).toEqual([]);
  expect(trace.processes()).toEqual([]);

  const again = await startServer({ dataDir: server.dataDir });
  for (const id of ids) {
    const { body } = await http(`${again.url}/api/execution/${id}`);
    expect(body).toMatchObject({ status: 'failed', outcome: 'sandbox_lost', errorType: 'internal_error' });
    expect(body.completedAt).not.toBeNull();
  }
  const { body } = await http(`${again.url}/api/execution/${done.executionId}`);
  expect(body).toEqual(done);
  expect((await http(`${again.url}/api/session/${session.id}`)).status).toBe(404);

  // A data directory serves one server at a time, and the second says so.
  const { code, log } = await failToStart({ dataDir: server.dataDir });
  expect(code).toBe(1);
  expect(log).toMatch(/data|lock|another server/i);
  expect((await http(`${again.url}/health`)).status).toBe(200);
  expect(await again.stop()).toBe(0);
});

test('a polite end closes sessions, ends runs and leaves nothing', async () => {
  const server = await startServer({ env: { CODEBEAKER_RUNTIMES: 'Python' } });
  const trace = mark();
  const config = { timeout: 300, environment: trace.environment };
  const request = { language: 'python', code: DAEMON, config };
  const { body: taken } = await http(`${server.url}/api/execution`, 'POST', request);
  await executionPrints(server.url, taken.executionId, 'before');
  const session = await TestSession.open(server.wsUrl, {
    language: 'python',
    environment: trace.environment,
  });
  await session.prints('x = 1');
  const family = familyOf(server.pid);
  const dataDir = server.dataDir;
  process.kill(server.pid, 'SIGTERM');
  expect(await vanishes(() => remains(family))).toEqual([]);
  expect(trace.processes()).toEqual([]);
  // What is left of it for a moment is its entry, until whoever started it has asked how it ended.
  expect(await vanishes(() => processIds().filter(pid => pid === server.pid))).toEqual([]);

  const again = await startServer({ dataDir, env: { CODEBEAKER_RUNTIMES: 'Python' } });
  const { body } = await http(`${again.url}/api/execution/${taken.executionId}`);
  expect(['failed', 'cancelled']).toContain(body.status);
  await again.stop();
});

test('two servers on one machine leave each other alone', async () => {
  const other = inject('server');
  await using sessions = new AsyncDisposableStack();
  const theirs: TestSession[] = [];
  for (const { runtimeType } of (await matrix()).filter(({ language }) => language === 'python')) {
    const session = await TestSession.open(other.wsUrl, { language: 'python', runtimeType });
    theirs.push(sessions.use(session));
    await session.prints('x = 42');
  }
  const printed = (what: string) => Promise.all(theirs.map(session => session.prints(`print(${what})`)));
  const env = { CODEBEAKER_RUNTIMES: 'Python,Docker' };
  const one = await startServer({ env });
  await one.kill9();
  const again = await startServer({ dataDir: one.dataDir, env });
  expect(await runOnce(again.url, { language: 'python', code: 'print(1)' })).toMatchObject({ stdout: '1\n' });
  expect(new Set(await printed('x'))).toEqual(new Set(['42\n']));
  await again.stop();
  expect(new Set(await printed('x + 1'))).toEqual(new Set(['43\n']));
});
