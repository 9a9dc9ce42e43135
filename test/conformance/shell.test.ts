import { describe, expect, inject, test } from 'vitest';
import { sandboxes } from '../support/matrix.ts';
import { TestSession } from '../support/session.ts';
import { sharedSession } from '../support/shared-session.ts';
import { mark, vanishes } from '../support/traces.ts';

/** Programs that a session runs: arguments, surroundings, endings, background. */
const server = inject('server');
/** Of every local sandbox, whichever runtime was picked. */
const INTERPRETERS = [
  ['python3', '-c', 'print("ok")'],
  ['node', '-e', 'console.log("ok")'],
  ['bun', '-e', 'console.log("ok")'],
  ['deno', 'eval', 'console.log("ok")'],
] as [string, ...string[]][];

describe.for(await sandboxes())('execute_shell in $name', ({ language, runtimeType }) => {
  const open = (more = {}) => TestSession.open(server.wsUrl, { language, runtimeType, ...more });
  const shared = sharedSession(server.wsUrl, { language, runtimeType });

  test('answers with everything the contract names', async () => {
    const session = await shared();
    const answer = await session.command('execute_shell', {
      commandName: 'sh',
      args: ['-c', 'echo a; echo b >&2'],
    });
    expect(answer).toMatchObject({
      success: true,
      error: null,
      result: { exitCode: 0, stdout: 'a\n', stderr: 'b\n', outcome: 'ok', signal: null },
    });
    const keys = ['durationMs', 'exitCode', 'outcome', 'signal', 'stderr', 'stdout', 'usage'];
    expect(Object.keys(answer.result).sort()).toEqual(keys);
  });

  test('never splits or expands an argument', async () => {
    const session = await shared();
    const args = ['a b', '$(id)', '*', '', `"'`, '-n', '\n', '~', '; ls'];
    const show = ['-c', 'import json, sys; print(json.dumps(sys.argv[1:]))', ...args];
    expect(JSON.parse((await session.shell('python3', show)).stdout)).toEqual(args);
  });

  test('finds sh, the usual small programs and, outside containers, every local interpreter', async () => {
    const session = await shared();
    for (const [name, ...args] of [
      ['sh', '-c', 'echo ok'],
      ...(runtimeType === 'Docker' ? [] : INTERPRETERS),
      ['awk', 'BEGIN { print "ok" }'],
      ['sed', '-n', '$=', '/etc/passwd'],
      ['grep', '-c', 'root', '/etc/passwd'],
    ] as [string, ...string[]][]) {
      const end = await session.shell(name, args);
      expect(end.stderr, name).toBe('');
      expect(end.exitCode, name).toBe(0);
    }
  });

  test('has the session’s environment, and its own on top', async () => {
    await using session = await open({ environment: { A: 'session', B: 'session' } });
    const end = await session.shell('sh', ['-c', 'echo $A $B $HOME $LANG $TZ'], {
      environment: { B: 'own' },
    });
    expect(end.stdout).toBe('session own /home/sandbox C.UTF-8 UTC\n');
    expect((await session.shell('env')).stdout).not.toContain('SECRET');
  });

  test('starts in /workspace, or in a directory below it', async () => {
    const session = await shared();
    await session.done('create_directory', { path: 'sub' });
    expect((await session.shell('pwd')).stdout).toBe('/workspace\n');
    expect((await session.shell('pwd', [], { workingDirectory: 'sub' })).stdout).toBe('/workspace/sub\n');
    const nowhere = await session.command('execute_shell', { commandName: 'pwd', workingDirectory: 'none' });
    expect(nowhere.success).toBe(false);
  });

  test('feeds stdin to the last byte, and end of file without one', async () => {
    const session = await shared();
    expect((await session.shell('cat', [], { stdin: 'é\0 end' })).stdout).toBe('é\0 end');
    expect((await session.shell('cat')).stdout).toBe('');
  });

  test('is a success that tells how the program failed', async () => {
    await using session = await open({ memoryLimitMB: 192 });
    const run = (script: string, more = {}) => session.shell('sh', ['-c', script], more);
    expect(await run('exit 3')).toMatchObject({ exitCode: 3, outcome: 'nonzero_exit', signal: null });
    expect(await run('kill -9 $$')).toMatchObject({
      exitCode: null,
      outcome: 'signalled',
      signal: 'SIGKILL',
    });
    const late = await run('echo before; sleep 60', { timeout: 0.5 });
    expect(late).toMatchObject({ outcome: 'wall_timeout', exitCode: null, stdout: 'before\n' });
    const greedy = await session.shell('python3', ['-c', `x = [b'x' * 2**20 for _ in range(400)]`]);
    expect(greedy).toMatchObject({ outcome: 'memory_limit', usage: { oomKilled: true } });
    const full = await run('echo before; head -c 300M /dev/zero > filler');
    expect(full).toMatchObject({ outcome: 'disk_limit', stdout: 'before\n', usage: { limitsHit: ['disk'] } });
  });

  test('reports each command’s own usage, not the session’s', async () => {
    const session = await shared();
    await session.shell('python3', [
      '-c',
      `import time\nend = time.process_time() + 0.5\nwhile time.process_time() < end: pass`,
    ]);
    const second = await session.shell('true');
    expect(second.usage.cpuMs).toBeLessThan(300);
    expect(second.usage).toMatchObject({ oomKilled: false, limitsHit: [] });
  });

  test('leaves nothing behind after a timeout, whatever the program did', async () => {
    const trace = mark();
    const session = await shared();
    const script = 'trap "" TERM; (setsid sleep 61 &) ; sleep 61 & kill -STOP 0';
    const more = { environment: trace.environment, timeout: 0.5 };
    expect(await session.shell('sh', ['-c', script], more)).toMatchObject({ outcome: 'wall_timeout' });
    expect(await vanishes(trace.processes)).toEqual([]);
    expect((await session.shell('echo', ['alive'])).stdout).toBe('alive\n');
  });

  test('runs in the background and tells the end in a notification', async () => {
    const session = await shared();
    const fields = {
      id: 'bg',
      commandName: 'sh',
      args: ['-c', 'echo one; sleep 0.3; echo two; exit 4'],
      background: true,
    };
    const { result, id } = await session.command('execute_shell', fields);
    expect(id).toBe('bg');
    expect(result).toEqual({ commandId: 'bg', executionId: expect.any(String) });
    expect((await session.shell('echo', ['meanwhile'])).stdout).toBe('meanwhile\n');
    const { params } = await session.client.notified(
      n => n.method === 'execution.completed' && n.params.commandId === 'bg',
    );
    expect(params).toMatchObject({ sessionId: session.id, commandId: 'bg', status: 'failed', exitCode: 4 });
    const { executionId } = result;
    const parts = session.client.notifications.filter(
      ({ method, params: { executionId: of } }) => method === 'execution.output' && of === executionId,
    );
    expect(parts.map(n => n.params.text).join('')).toBe('one\ntwo\n');
    expect(await session.client.call('execution.status', { executionId })).toMatchObject({
      status: 'failed',
      exitCode: 4,
      stdout: 'one\ntwo\n',
    });
  });

  test('takes input that was sent right behind it', async () => {
    const session = await shared();
    const running = session.command('execute_shell', { id: 'ahead', commandName: 'cat' }, { stream: true });
    const at = { sessionId: session.id, commandId: 'ahead' };
    await session.client.call('process.input', { ...at, data: 'typed ahead', eof: true });
    expect((await running).result).toMatchObject({ exitCode: 0, stdout: 'typed ahead' });
  });

  test('takes input and signals while it runs', async () => {
    const session = await shared();
    const more = { stream: true };
    const running = session.command('execute_shell', { id: 'cat', commandName: 'cat' }, more);
    await session.client.notified(n => n.method === 'execution.started' && n.params.commandId === 'cat');
    const at = { sessionId: session.id, commandId: 'cat' };
    await session.client.call('process.input', { ...at, data: 'typed é\n' });
    await session.client.notified(n => n.method === 'execution.output' && n.params.text?.includes('typed é'));
    await session.client.call('process.input', { ...at, data: 'AP8=', encoding: 'base64' });
    await session.client.call('process.input', { ...at, eof: true });
    expect((await running).result).toMatchObject({ exitCode: 0, outcome: 'ok' });

    const script = 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.1; done';
    const trapping = session.command(
      'execute_shell',
      { id: 'trap', commandName: 'sh', args: ['-c', script] },
      more,
    );
    await session.client.notified(n => n.method === 'execution.output' && n.params.text?.includes('ready'));
    await session.client.call('process.signal', {
      sessionId: session.id,
      commandId: 'trap',
      signal: 'SIGINT',
    });
    expect((await trapping).result).toMatchObject({ exitCode: 5, stdout: 'ready\ncaught\n' });
  });

  test('takes no input for a program that is not the client’s to feed, and no signal for one that has ended', async () => {
    const session = await shared();
    const { client, id: sessionId } = session;
    const deaf = { id: 'deaf', commandName: 'sleep', args: ['20'], stdin: 'all of it' };
    const running = session.command('execute_shell', deaf, { stream: true });
    await client.notified(n => n.method === 'execution.started' && n.params.commandId === 'deaf');
    const target = { sessionId, commandId: 'deaf' };
    await expect(client.call('process.input', { ...target, data: 'x' })).rejects.toMatchObject({
      data: { code: 'CONFLICT' },
    });
    await client.call('process.signal', { ...target, signal: 'SIGKILL' });
    expect((await running).result).toMatchObject({ outcome: 'signalled', signal: 'SIGKILL' });
    await expect(client.call('process.signal', { ...target, signal: 'SIGKILL' })).rejects.toMatchObject({
      data: { code: 'NOT_FOUND' },
    });
  });
});
