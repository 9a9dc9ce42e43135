import { expect, inject, test } from 'vitest';
import { matrix } from '../support/matrix.ts';
import { executionPrints, http, runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { failToStart, startServer } from '../support/start-server.ts';
import { familyOf, mark, remains, vanishes } from '../support/traces.ts';

/** What a server's death leaves: nothing that runs, and an end for every execution. */
const SLEEP = 'import time; print("before"); time.sleep(300)';
const DAEMON = `
import subprocess, time
subprocess.run(['sh', '-c', '(trap "" TERM HUP; setsid sleep 299 >/dev/null 2>&1 &)'])
print('before'); time.sleep(300)`;

test('kill -9 in mid-run leaves nothing, and another server alone; every execution gets an end, and its data serve one server at a time', async () => {
  const other = inject('server');
  await using sessions = new AsyncDisposableStack();
  const theirs: TestSession[] = [];
  for (const { runtimeType } of (await matrix()).filter(({ language }) => language === 'python')) {
    const session = await TestSession.open(other.wsUrl, { language: 'python', runtimeType });
    theirs.push(sessions.use(session));
    await session.prints('x = 42');
  }
  const printed = async (what: string) =>
    new Set(await Promise.all(theirs.map(session => session.prints(`print(${what})`))));

  const env = { CODEBEAKER_RUNTIMES: 'Python,Bun,Docker', CODEBEAKER_DRAIN_SECONDS: '3600' };
  const server = await startServer({ env });
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

  const again = await startServer({ dataDir: server.dataDir, env });
  expect(await printed('x')).toEqual(new Set(['42\n']));
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

  // What may run as long as its session keeps no server from ending.
  const last = await TestSession.open(again.wsUrl, { language: 'python' });
  await last.shell('sleep', ['3600'], { background: true });
  expect(await again.stop()).toBe(0);
  expect(await printed('x + 1')).toEqual(new Set(['43\n']));
});
