import { describe, expect, inject, test } from 'vitest';
import { lentSession } from '../support/lent-session.ts';
import { interpreters, sandboxes } from '../support/matrix.ts';
import { http } from '../support/rest-client.ts';
import { RpcClient } from '../support/rpc-client.ts';
import { TestSession } from '../support/session.ts';
import { mark, vanishes } from '../support/traces.ts';

/** Sessions from create to close: what they tell of themselves, what they keep, and when they end. */
const server = inject('server');
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe.for(await sandboxes())('a session of $name', ({ language, runtimeType }) => {
  const open = (more = {}) => TestSession.open(server.wsUrl, { language, runtimeType, ...more });

  test('tells everything the contract names', async () => {
    await using session = await open({ metadata: { user: 'u1', tags: ['a', { b: 1 }] } });
    expect(session.info).toMatchObject({
      runtimeType,
      language,
      state: 'Active',
      executionCount: 0,
      config: {
        language,
        memoryLimitMB: 512,
        cpuShares: 1024,
        idleTimeoutMinutes: 30,
        maxLifetimeMinutes: 120,
      },
    });
    expect(session.info.containerId).toBe(session.info.environmentId);
    expect(session.info.createdAt).toMatch(ISO);
    expect(session.info.lastActivity).toMatch(ISO);
    expect(session.info.config.metadata).toEqual({ user: 'u1', tags: ['a', { b: 1 }] });
    await session.shell('true');
    const later = await session.client.call('session.get', { sessionId: session.id });
    expect(later).toMatchObject({ state: 'Idle', executionCount: 1 });
    const { count, sessions } = await session.client.call('session.list', {});
    expect(count).toBe(sessions.length);
    expect(sessions.map((s: { sessionId: string }) => s.sessionId)).toContain(session.id);
  });

  test('is gone after it was closed, with every process of it', async () => {
    const trace = mark();
    const session = await open({ environment: trace.environment });
    await session.done('execute_code', { code: '1' });
    const daemon = `(setsid sh -c 'trap "" TERM HUP; sleep 61' >/dev/null 2>&1 &)`;
    await session.shell('sh', ['-c', daemon]);
    // Between its fork and its first step it is nobody yet.
    await expect.poll(() => trace.processes().length).toBeGreaterThan(0);
    const closed = await session.client.call('session.close', { sessionId: session.id });
    expect(closed).toEqual({ sessionId: session.id, closed: true });
    expect(await vanishes(trace.processes)).toEqual([]);
    const refused = await session.client.refused('session.get', { sessionId: session.id });
    expect(refused).toMatchObject({ code: -31014, data: { code: 'SESSION_NOT_FOUND' } });
    await session.client.close();
  });

  test('tells the end of what still runs when it is closed', async () => {
    const session = await open();
    const { client, id: sessionId } = session;
    await session.command('execute_shell', {
      id: 'bg',
      commandName: 'sleep',
      args: ['61'],
      background: true,
    });
    const code = language === 'python' ? 'while True: pass' : 'while (true);';
    const running = session.command('execute_code', { id: 'cell', code }, { stream: true });
    await client.notified(n => n.method === 'execution.started' && n.params.commandId === 'cell');
    await client.call('session.close', { sessionId });
    for (const commandId of ['bg', 'cell']) {
      const { params } = await client.notified(
        n => n.method === 'execution.completed' && n.params.commandId === commandId,
      );
      expect(params.status).toBe('cancelled');
    }
    expect(await running).toMatchObject({ success: false });
    await client.close();
  });

  test('says by its executionId how a command went, as its notification does', async () => {
    await using session = await lentSession(server.wsUrl, { language, runtimeType });
    const { client } = session;
    for (const [fields, status] of [
      [{ type: 'read_file', path: 'missing' }, 'failed'],
      [{ type: 'write_file', path: 'f', content: 'x' }, 'completed'],
      [{ type: 'execute_shell', commandName: 'false' }, 'failed'],
    ] as const) {
      client.notifications.length = 0;
      await client.call('session.execute', { sessionId: session.id, command: fields, stream: true });
      const { params } = await client.notified(n => n.method === 'execution.completed');
      expect(params.status).toBe(status);
      const { executionId } = params;
      expect(await client.call('execution.status', { executionId })).toMatchObject({ executionId, status });
    }
  });

  test('keeps files between commands, or empties /workspace after each', async () => {
    await using keeping = await lentSession(server.wsUrl, { language, runtimeType });
    await keeping.shell('touch', ['f', '.h']);
    expect((await keeping.shell('ls', ['-A'])).stdout).toBe('.h\nf\n');
    await using emptying = await open({ persistFilesystem: false });
    await emptying.shell('sh', ['-c', 'mkdir -p d/e; touch f .h d/e/g; chmod 000 d/e']);
    expect((await emptying.shell('ls', ['-A'])).stdout).toBe('');
  });

  test('is the same over REST', async () => {
    const created = await http(`${server.url}/api/session`, 'POST', { language, runtimeType });
    expect(created).toMatchObject({ status: 201, body: { runtimeType, state: 'Active' } });
    const at = `${server.url}/api/session/${created.body.sessionId}`;
    expect((await http(at)).body.sessionId).toBe(created.body.sessionId);
    const command = { type: 'execute_shell', commandName: 'echo', args: ['hi'] };
    const ran = await http(`${at}/execute`, 'POST', { command });
    expect(ran).toMatchObject({ status: 200, body: { success: true, result: { stdout: 'hi\n' } } });
    expect((await http(`${server.url}/api/session`)).body.count).toBeGreaterThan(0);
    expect(await http(at, 'DELETE')).toMatchObject({ status: 200, body: { closed: true } });
    expect(await http(at)).toMatchObject({ status: 404, body: { code: 'SESSION_NOT_FOUND' } });
    expect(await http(`${at}/execute`, 'POST', { command })).toMatchObject({ status: 404 });
  });
});

test.for(await interpreters())(
  'a session of $name gives its environment to cells and programs',
  async ({ language, runtimeType, dialect }) => {
    const environment = { GREETING: 'hi é' };
    await using session = await TestSession.open(server.wsUrl, { language, runtimeType, environment });
    expect((await session.shell('printenv', ['GREETING'])).stdout).toBe('hi é\n');
    const code =
      dialect === 'python' ? `import os; print(os.environ['GREETING'])` : 'console.log(process.env.GREETING)';
    expect(await session.prints(code)).toBe('hi é\n');
  },
);

/** They wait for clocks, and so do it beside each other. */
describe.concurrent.for(await sandboxes())(
  'the limits of a session of $name',
  ({ language, runtimeType }) => {
    const open = (more = {}) => TestSession.open(server.wsUrl, { language, runtimeType, ...more });

    test('keeps what a command has left running, until a limit ends that command', async () => {
      const trace = mark();
      await using session = await open({ environment: trace.environment });
      const daemon = `(setsid sh -c 'echo $$ > daemon; exec sleep 61' >/dev/null 2>&1 &) ; until [ -s daemon ]; do sleep 0.01; done`;
      const lives = async () => (await session.shell('sh', ['-c', 'kill -0 $(cat daemon)'])).exitCode === 0;
      expect(await session.shell('sh', ['-c', daemon])).toMatchObject({ outcome: 'ok' });
      // As in a terminal: the next command may use what this one has started.
      expect(await lives()).toBe(true);
      // Another command's limit is not its own.
      await session.shell('sleep', ['61'], { timeout: 0.3 });
      expect(await lives()).toBe(true);
      await session.shell('sh', ['-c', 'kill -9 $(cat daemon); rm daemon']);
      expect(await vanishes(trace.processes)).toEqual([]);
      const late = await session.shell('sh', ['-c', `${daemon}; sleep 61`], { timeout: 2 });
      expect(late).toMatchObject({ outcome: 'wall_timeout' });
      expect(await vanishes(trace.processes)).toEqual([]);
    });

    test('holds to its memory and CPU limits', async () => {
      await using session = await open({ memoryLimitMB: 128, cpuShares: 256 });
      const greedy = await session.shell('python3', ['-c', `x = [b'x' * 2**20 for _ in range(300)]`]);
      expect(greedy.outcome).toBe('memory_limit');
      const busy = await session.shell('sh', ['-c', 'while :; do :; done'], { timeout: 1.5 });
      // On a machine that is busy itself it may not get even its quarter of a core.
      expect(busy.outcome).toMatch(/^(cpu|wall)_timeout$/);
      expect(busy.usage.cpuMs).toBeLessThan(250 + busy.usage.wallMs / 2);
    });

    test('is given as little of the CPU as may be asked for', async () => {
      await using session = await open({ cpuShares: 2 });
      expect(session.info.config.cpuShares).toBe(2);
      const busy = await session.shell('sh', ['-c', 'while :; do :; done'], { timeout: 3 });
      expect(busy.outcome).toMatch(/^(cpu|wall)_timeout$/);
      expect(busy.usage.cpuMs).toBeLessThan(250 + busy.usage.wallMs / 50);
    });

    test('idles out, and then is gone', async () => {
      const trace = mark();
      const session = await open({ idleTimeoutMinutes: 0.02, environment: trace.environment });
      expect(session.info.idleMinutes).toBeLessThan(0.02);
      await goneWithin(session, 30_000);
      expect(await vanishes(trace.processes)).toEqual([]);
    });

    test('does not idle out while a command runs or a client keeps it alive', async () => {
      await using session = await open({ idleTimeoutMinutes: 0.05 });
      expect((await session.shell('sleep', ['4'])).exitCode).toBe(0);
      for (let i = 0; i < 10; i++) {
        await new Promise(resolve => setTimeout(resolve, 400));
        await session.client.call('session.keepAlive', { sessionId: session.id });
      }
      expect((await session.shell('echo', ['still'])).stdout).toBe('still\n');
    });

    test('ends at its maximum lifetime, however busy', async () => {
      const trace = mark();
      const session = await open({ maxLifetimeMinutes: 0.03, environment: trace.environment });
      const running = session.command('execute_shell', { commandName: 'sleep', args: ['60'] }).catch(e => e);
      await running;
      await goneWithin(session, 30_000);
      expect(await vanishes(trace.processes)).toEqual([]);
    });
  },
);

test('sessions see nothing of each other', async () => {
  await using one = await TestSession.open(server.wsUrl, { language: 'python' });
  await using two = await TestSession.open(server.wsUrl, { language: 'python' });
  await one.done('write_file', { path: 'secret', content: 's' });
  await one.shell('sh', ['-c', 'echo s > /tmp/secret; echo s > /dev/shm/secret; echo s > ~/secret']);
  await one.prints('x = 1');
  const look = 'cat /workspace/* /tmp/* /dev/shm/* ~/* 2>/dev/null; ps -e 2>/dev/null | wc -l';
  expect((await two.shell('sh', ['-c', look])).stdout).not.toContain('s\n');
  expect((await two.cell('print(x)')).success).toBe(false);
});

test('a session that was never there is not found', async () => {
  const client = await RpcClient.connect(server.wsUrl);
  for (const method of ['session.get', 'session.close', 'session.keepAlive', 'session.attach']) {
    expect(await client.refused(method, { sessionId: 'nobody' })).toMatchObject({ code: -31014 });
  }
  const command = { type: 'list_directory' };
  expect(await client.refused('session.execute', { sessionId: 'nobody', command })).toMatchObject({
    code: -31014,
  });
  expect(await client.refused('fs.readFile', { path: 'x' })).toMatchObject({ code: -31014 });
  await client.close();
});

async function goneWithin(session: TestSession, ms: number): Promise<void> {
  const at = `${server.url}/api/session`;
  const deadline = Date.now() + ms;
  for (;;) {
    const { body } = await http(at);
    if (!body.sessions.some((s: { sessionId: string }) => s.sessionId === session.id)) break;
    if (Date.now() > deadline) throw new Error(`session ${session.id} is still there`);
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  expect(await session.client.refused('session.get', { sessionId: session.id })).toMatchObject({
    code: -31014,
  });
  await session.client.close();
}
