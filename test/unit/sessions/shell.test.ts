import { describe, expect, it } from 'vitest';
import { FileRefused, ProgramNotFound } from '../../../src/sandbox.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { namesOf, openService, readAll, textOf } from '../support/open-service.ts';
import { byName, echo, ends, prints, runsOn } from '../support/scripts.ts';

standStill();

const script = byName({
  true: ends(),
  false: ends({ code: 1 }),
  say: prints('said'),
  sleep: runsOn,
  cat: async (_, { input, print }) => {
    await print(await input());
    return {};
  },
  kernel: echo,
});

describe('execute_shell', () => {
  it('runs a program with its arguments, in /workspace, with the session’s environment', async () => {
    const { session, runtime } = openService({ script });
    const { shell } = await session({ environment: { A: 'session', B: 'session' } });
    await shell('true', { args: ['a b', '$HOME'], environment: { B: 'command' } });
    expect(runtime.last.processes[0]?.spec).toMatchObject({
      argv: ['true', 'a b', '$HOME'],
      cwd: '/workspace',
      env: { A: 'session', B: 'command', PATH: '/usr/local/bin:/usr/bin:/bin' },
      stdin: 'none',
    });
  });

  it('runs where it is told', async () => {
    const { session, runtime } = openService({ script });
    const { shell } = await session();
    await shell('true', { workingDirectory: 'src' });
    expect(runtime.last.processes[0]?.spec.cwd).toBe('/workspace/src');
    await expect(shell('true', { workingDirectory: '/' })).rejects.toMatchObject({
      field: 'command.workingDirectory',
    });
  });

  it('succeeds in having run a program that fails', async () => {
    const { session } = openService({ script });
    const { shell } = await session();
    expect(await shell('false')).toMatchObject({
      success: true,
      result: { exitCode: 1, outcome: 'nonzero_exit', signal: null },
    });
  });

  it('gives the output', async () => {
    const { session } = openService({ script });
    const { shell } = await session();
    expect((await shell('say')).result).toMatchObject({ stdout: 'said', stderr: '', exitCode: 0 });
  });

  it('feeds standard input and ends it', async () => {
    const { session } = openService({ script });
    const { shell } = await session();
    expect((await shell('cat', { stdin: 'é in' })).result).toMatchObject({ stdout: 'é in' });
    expect((await shell('cat', { stdin: '' })).result).toMatchObject({ stdout: '' });
  });

  it('does not wait for input that nobody gives', async () => {
    const { session } = openService({ script });
    const { shell } = await session();
    expect((await shell('cat')).result).toMatchObject({ exitCode: 0 });
  });

  it.each([
    ['that is not there', new ProgramNotFound('Program not found: nope')],
    ['whose arguments are too long', new FileRefused('Argument list too long: nope')],
  ])('says of a program %s why it does not run', async (_what, refusal) => {
    const { session, runtime } = openService({ script });
    const { shell } = await session();
    runtime.last.refusal = refusal;
    expect(await shell('nope')).toMatchObject({ success: false, result: null, error: refusal.message });
  });

  it.each([
    ['its own', { timeout: 2 }, 2000],
    ['a minute by default', {}, 60_000],
  ])('has %s for its time', async (_what, fields, ms) => {
    const { session } = openService({ script });
    const { shell } = await session();
    const running = shell('sleep', fields);
    await pass(ms);
    expect((await running).result).toMatchObject({ outcome: 'wall_timeout', durationMs: ms });
  });

  it('has no more time by default than the server gives', async () => {
    const { session } = openService({ script, settings: { maxTimeoutSeconds: 1 } });
    const { shell } = await session();
    const running = shell('sleep');
    await pass(1000);
    expect((await running).result).toMatchObject({ outcome: 'wall_timeout' });
  });

  it('is refused more time than the server gives, before anything runs', async () => {
    const { session, runtime } = openService({ script, settings: { maxTimeoutSeconds: 10 } });
    const { shell } = await session();
    await expect(shell('true', { timeout: 11 })).rejects.toMatchObject({ field: 'command.timeout' });
    expect(runtime.last.processes).toEqual([]);
  });

  it('says how long it took', async () => {
    const { session } = openService({ script });
    const { shell } = await session();
    const running = shell('sleep', { timeout: 2 });
    await pass(2000);
    expect((await running).durationMs).toBe(2000);
  });

  it('is not held up by the queue, which is for code', async () => {
    const { session } = openService({ script, settings: { maxConcurrency: 1 } });
    const { shell } = await session();
    void shell('sleep');
    await settle();
    expect(await shell('true')).toMatchObject({ success: true });
  });
});

describe('a shell command that streams', () => {
  it('tells its start, its output and its end, in order and contiguous numbers', async () => {
    const { session } = openService({ script });
    const { execute, events, close, id } = await session();
    const told = readAll(events());
    const { completedSeq } = await execute(
      { type: 'execute_shell', commandName: 'say', id: 'c' },
      {},
      { stream: true },
    );
    await close();
    const all = await told;
    expect(namesOf(all)).toEqual(['started', 'output', 'completed']);
    expect(all.map(({ params }) => params.seq)).toEqual([1, 2, 3]);
    expect(completedSeq).toBe(3);
    expect(all[1]?.params).toMatchObject({ sessionId: id, commandId: 'c', stream: 'stdout', text: 'said' });
    expect(all[2]?.params).toMatchObject({ status: 'completed', exitCode: 0 });
  });

  it('tells nothing where it does not', async () => {
    const { session } = openService({ script });
    const { shell, events, close } = await session();
    await shell('say');
    const told = readAll(events());
    await close();
    expect(await told).toEqual([]);
  });

  it('waits with its output for a reader that stands still', async () => {
    const { session } = openService({
      script: async (_, { print }) => {
        for (let i = 0; i < 20; i++) await print('x'.repeat(50_000));
        return {};
      },
    });
    const { execute, events, close } = await session();
    const stream = await events();
    const running = execute({ type: 'execute_shell', commandName: 'flood' }, {}, { stream: true });
    let done = false;
    void running.then(() => (done = true));
    await settle();
    expect(done).toBe(false);
    const told = readAll(stream);
    expect(await running).toMatchObject({ result: { result: { outcome: 'ok', exitCode: 0 } } });
    await close();
    expect(textOf(await told)).toHaveLength(1_000_000);
  });

  it('does not begin before a reader has caught up with those before', async () => {
    const { session, runtime } = openService({
      script: byName({ fill: prints('x'.repeat(300_000)), true: ends() }),
    });
    const { execute, events } = await session();
    const gone = new AbortController();
    await events(0, { signal: gone.signal });
    void execute({ type: 'execute_shell', commandName: 'fill', timeout: 1 }, {}, { stream: true });
    await pass(1000);
    const next = execute({ type: 'execute_shell', commandName: 'true' }, {}, { stream: true });
    await settle();
    expect(runtime.last.processes.map(({ spec }) => spec.argv[0])).toEqual(['fill']);
    gone.abort();
    expect(await next).toMatchObject({ result: { success: true } });
  });
});

describe('a program in the background', () => {
  const start = async (commandName: string, more: object = {}) => {
    const all = openService({ script });
    const opened = await all.session();
    const command = { type: 'execute_shell', id: 'bg', commandName, background: true, ...more };
    const { result } = await opened.execute(command);
    const { executionId } = result.result as { executionId: string };
    const status = () => all.service.executions.status(executionId, all.call());
    return { ...all, ...opened, result, executionId, status };
  };

  it('answers at once with how to ask for it', async () => {
    const { result, status } = await start('sleep');
    expect(result).toMatchObject({ success: true, id: 'bg', result: { commandId: 'bg' } });
    expect(await status()).toMatchObject({ status: 'running', outcome: null, language: 'python' });
  });

  it('has no time limit of its own', async () => {
    const { status } = await start('sleep');
    await pass(20 * 60_000);
    expect(await status()).toMatchObject({ status: 'running' });
  });

  it('ends at the time that was asked for', async () => {
    const { status } = await start('sleep', { timeout: 5 });
    await pass(5000);
    expect(await status()).toMatchObject({ status: 'timeout', outcome: 'wall_timeout', durationMs: 5000 });
  });

  it('tells its story to the session, though nobody asked it to stream', async () => {
    const { close, events } = await start('say');
    const told = readAll(events());
    await settle();
    await close();
    expect(namesOf(await told)).toEqual(['started', 'output', 'completed']);
  });

  it('keeps its output for whoever asks', async () => {
    const { status } = await start('say');
    await settle();
    expect(await status()).toMatchObject({ status: 'completed', stdout: 'said', exitCode: 0 });
  });

  it('can be cancelled, which answers with how it ended', async () => {
    const { service, call, executionId, runtime } = await start('sleep');
    expect(await service.executions.cancel(executionId, call())).toMatchObject({
      status: 'cancelled',
      outcome: 'cancelled',
    });
    expect(runtime.last.processes[0]?.runs).toBe(false);
  });

  it('is not ended by the end of the call that began it', async () => {
    const { session, service, call } = openService({ script });
    const { execute } = await session();
    const gone = new AbortController();
    const { result } = await execute(
      { type: 'execute_shell', commandName: 'sleep', background: true },
      { signal: gone.signal },
    );
    gone.abort();
    await settle();
    const { executionId } = result.result as { executionId: string };
    expect(await service.executions.status(executionId, call())).toMatchObject({ status: 'running' });
  });

  it('that is not there says so at once', async () => {
    const { session, runtime } = openService({ script });
    const { shell } = await session();
    runtime.last.refusal = new ProgramNotFound('Program not found: nope');
    expect(await shell('nope', { background: true })).toMatchObject({
      success: false,
      error: 'Program not found: nope',
    });
  });

  it('ends as lost with its sandbox', async () => {
    const { runtime, status, id, service, call } = await start('sleep');
    runtime.last.lose();
    await settle();
    await expect(service.sessions.get(id, call())).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
    await expect(status()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('cancelling a command', () => {
  it('by its call ends the program and answers CANCELLED', async () => {
    const { session, runtime } = openService({ script });
    const { shell } = await session();
    const gone = new AbortController();
    const running = shell('sleep', {}, { signal: gone.signal });
    await settle();
    gone.abort();
    await expect(running).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(runtime.last.processes[0]?.runs).toBe(false);
  });

  it('by a call that is over before it begins starts nothing that stays', async () => {
    const { session, runtime } = openService({ script });
    const { shell } = await session();
    await expect(shell('sleep', {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(runtime.last.processes.some(({ runs }) => runs)).toBe(false);
  });

  it('by its execution answers both with the same end', async () => {
    const { session, service, call, log } = openService({ script });
    const { shell } = await session();
    const running = shell('sleep');
    await settle();
    const { executionId } = log.named('taken')[0] as unknown as { executionId: string };
    const status = await service.executions.cancel(executionId, call());
    expect(status).toMatchObject({ status: 'cancelled', outcome: 'cancelled', signal: 'SIGKILL' });
    expect(await running).toMatchObject({ success: true, result: { outcome: 'cancelled' } });
  });

  it('leaves those beside it alone', async () => {
    const { session } = openService({ script });
    const { shell } = await session();
    const gone = new AbortController();
    const first = shell('sleep', {}, { signal: gone.signal });
    const second = shell('sleep', { timeout: 1 });
    await settle();
    gone.abort();
    await expect(first).rejects.toMatchObject({ code: 'CANCELLED' });
    await pass(1000);
    expect((await second).result).toMatchObject({ outcome: 'wall_timeout' });
  });
});

describe('the commands of a session', () => {
  it('can be asked for while they run and after', async () => {
    const { session, service, call, log } = openService({ script });
    const { shell } = await session();
    void shell('sleep', { timeout: 1 });
    await settle();
    const { executionId } = log.named('taken')[0] as unknown as { executionId: string };
    const status = () => service.executions.status(executionId, call());
    expect(await status()).toMatchObject({ status: 'running', startedAt: '2026-01-01T00:00:00.000Z' });
    await pass(1000);
    expect(await status()).toMatchObject({
      status: 'timeout',
      timeout: true,
      errorType: 'timeout',
      completedAt: '2026-01-01T00:00:01.000Z',
    });
  });

  it('are remembered, the last 64 of them', async () => {
    const { session, service, call, log } = openService({ script });
    const { shell } = await session();
    for (let i = 0; i < 65; i++) await shell('true');
    const ids = log.named('taken').map(({ executionId }) => executionId as string);
    await expect(service.executions.status(ids[0]!, call())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await service.executions.status(ids[1]!, call())).toMatchObject({ status: 'completed' });
  });
});
