import { describe, expect, it } from 'vitest';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { openService } from '../support/open-service.ts';
import { byName, ends, kernel, runsOn } from '../support/scripts.ts';

standStill();

/** Prints what it is given. */
const cat: Script = async (_, { input, print }) => {
  await print(await input());
  return {};
};
const script = byName({
  cat,
  sleep: runsOn,
  true: ends(),
  python3: cat,
  kernel: kernel(async (_, { input, print }) => {
    await print(await input());
    return undefined;
  }),
});
const bytes = (text: string) => Buffer.from(text);
const notRunning = { code: 'NOT_FOUND', message: 'No such program is running' };

/** A session with a command that a client can speak to. */
async function withCommand(command: object, options = { interactive: true, stream: true }) {
  const all = openService({ script });
  const opened = await all.session();
  const running = opened.execute(command, {}, options);
  running.catch(() => {});
  await settle();
  const { processes } = all.service;
  return {
    ...all,
    ...opened,
    running,
    input: (text: string, eof = false, target: object = { sessionId: opened.id }) =>
      processes.input(target, bytes(text), eof, all.call()),
    signal: (name: string, target: object = { sessionId: opened.id }) =>
      processes.signal(target, name, all.call()),
  };
}

const CAT = { type: 'execute_shell', id: 'mine', commandName: 'cat' };

describe('process.input', () => {
  it('feeds the program that a session runs, until its end', async () => {
    const { input, running } = await withCommand(CAT);
    await input('one ');
    await input('two', true);
    expect((await running).result.result).toMatchObject({ stdout: 'one two' });
  });

  it('may be an end alone', async () => {
    const { input, running } = await withCommand(CAT);
    await input('', true);
    expect((await running).result.result).toMatchObject({ stdout: '', exitCode: 0 });
  });

  it('feeds a cell that runs', async () => {
    const { input, running } = await withCommand({ type: 'execute_code', code: 'x' });
    await input('typed', true);
    expect((await running).result.result).toMatchObject({ stdout: 'typed' });
  });

  it('feeds a one-shot by its execution', async () => {
    const { start, service, call } = openService({ script });
    const executionId = await start({}, {}, { interactive: true });
    await service.processes.input({ executionId }, bytes('in'), true, call());
    expect(await service.executions.wait(executionId, call())).toMatchObject({ stdout: 'in' });
  });

  it('feeds a command by its execution', async () => {
    const { input, running, log } = await withCommand(CAT);
    const { executionId } = log.named('taken')[0]!;
    await input('in', true, { executionId });
    expect((await running).result.result).toMatchObject({ stdout: 'in' });
  });

  it('feeds the command that is named, and without a name the one begun last', async () => {
    const { input, running, execute, id } = await withCommand(CAT);
    const later = execute({ ...CAT, id: 'later' }, {}, { interactive: true });
    await settle();
    await input('first', true, { sessionId: id, commandId: 'mine' });
    await input('last', true);
    expect((await running).result.result).toMatchObject({ stdout: 'first' });
    expect((await later).result.result).toMatchObject({ stdout: 'last' });
  });

  it.each([
    ['had its input from the start', { ...CAT, commandName: 'sleep', stdin: 'x' }, true],
    ['does not stream', { ...CAT, commandName: 'sleep' }, false],
  ])('is refused by one that %s', async (_what, command, live) => {
    const { input } = await withCommand(command, { interactive: live, stream: live });
    await expect(input('x')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('is refused by a program in the background', async () => {
    const { input } = await withCommand({ ...CAT, commandName: 'sleep', background: true });
    await expect(input('x')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('finds a command that was sent right before it', async () => {
    const { session, service, call } = openService({ script });
    const { id, execute } = await session();
    const running = execute(CAT, {}, { interactive: true });
    await service.processes.input({ sessionId: id }, bytes('quick'), true, call());
    expect((await running).result.result).toMatchObject({ stdout: 'quick' });
  });

  it('keeps its session from being idle', async () => {
    const { session, service, call, runtime } = openService({ script });
    const { id, execute, info } = await session({ idleTimeoutMinutes: 1 });
    // A program that ended would be activity as well.
    runtime.last.stubborn = true;
    void execute({ ...CAT, commandName: 'sleep', background: true });
    await pass(50_000);
    await service.processes.signal({ sessionId: id }, 'SIGURG', call());
    await pass(50_000);
    expect((await info()).sessionId).toBe(id);
  });
});

describe('process.signal', () => {
  it('reaches the program, which may end by it', async () => {
    const { signal, running, runtime } = await withCommand({ ...CAT, commandName: 'sleep' });
    await signal('SIGTERM');
    expect((await running).result.result).toMatchObject({ outcome: 'signalled', signal: 'SIGTERM' });
    expect(runtime.last.processes[0]?.signals).toEqual(['SIGTERM']);
  });

  it('reaches a one-shot by its execution', async () => {
    const { start, service, call } = openService({ script: runsOn });
    const executionId = await start();
    await service.processes.signal({ executionId }, 'SIGINT', call());
    expect(await service.executions.wait(executionId, call())).toMatchObject({
      status: 'failed',
      outcome: 'signalled',
      signal: 'SIGINT',
    });
  });

  it('reaches a program in the background', async () => {
    const { signal, runtime } = await withCommand({ ...CAT, commandName: 'sleep', background: true });
    await signal('SIGHUP');
    expect(runtime.last.processes[0]?.signals).toEqual(['SIGHUP']);
  });

  it.each(['SIGNONSENSE', 'INT', 'sigint', '9', '', 'toString'])('%j is the name of none', async name => {
    const { signal } = await withCommand({ ...CAT, commandName: 'sleep' });
    await expect(signal(name)).rejects.toMatchObject({ code: 'VALIDATION_ERROR', field: 'signal' });
  });
});

describe('a program that does not run', () => {
  it('is not found after its end', async () => {
    const { signal, input, running } = await withCommand({ ...CAT, commandName: 'true' });
    await running;
    await expect(signal('SIGINT')).rejects.toMatchObject(notRunning);
    await expect(input('x')).rejects.toMatchObject(notRunning);
  });

  it('is not found in a session that runs nothing', async () => {
    const { session, service, call } = openService({ script });
    const { id } = await session();
    await expect(service.processes.signal({ sessionId: id }, 'SIGINT', call())).rejects.toMatchObject(
      notRunning,
    );
  });

  it('is not found under a name that nobody has', async () => {
    const { signal, id } = await withCommand({ ...CAT, commandName: 'sleep' });
    await expect(signal('SIGINT', { sessionId: id, commandId: 'other' })).rejects.toMatchObject(notRunning);
  });

  it('is not found for a command that has none', async () => {
    const { session, service, call, runtime } = openService({ script });
    const { id, execute } = await session();
    const disk = Promise.withResolvers<void>();
    await runtime.last.files.write('/workspace/a', bytes('x'));
    runtime.last.files.beforeRead = () => disk.promise;
    void execute({ type: 'read_file', path: 'a' });
    const signalling = service.processes.signal({ sessionId: id }, 'SIGINT', call());
    signalling.catch(() => {});
    await settle();
    disk.resolve();
    await expect(signalling).rejects.toMatchObject(notRunning);
  });

  it.each([
    ['a session', { sessionId: 'nobody' }, 'SESSION_NOT_FOUND'],
    ['an execution', { executionId: 'nobody' }, 'NOT_FOUND'],
    ['neither', {}, 'VALIDATION_ERROR'],
  ])('is not found by %s that is not there', async (_what, target, code) => {
    const { service, call } = openService({ script });
    await expect(service.processes.signal(target, 'SIGINT', call())).rejects.toMatchObject({ code });
  });
});

describe('process.list', () => {
  it('has what runs in a session: programs, terminals and interpreters, in the order they began', async () => {
    const all = openService({
      script: byName({ sleep: runsOn, true: ends(), kernel: kernel(() => new Promise(() => {})) }),
      capabilities: { pty: true },
    });
    const { id, execute, close } = await all.session();
    const list = async () => all.service.processes.list(id, all.call());
    expect(await list()).toEqual([]);
    await execute({ type: 'execute_shell', commandName: 'true' });
    await execute({
      type: 'execute_shell',
      id: 'bg',
      commandName: 'sleep',
      args: ['5', ''],
      background: true,
    });
    const pty = { cols: 80, rows: 24 };
    await execute({ type: 'execute_shell', id: 'tty', commandName: 'sleep', background: true, pty });
    execute({ type: 'execute_code', id: 'cell', code: 'x' }).catch(() => {});
    await settle();
    const [bg, tty, cell, ...more] = await list();
    expect(more).toEqual([]);
    expect(bg).toEqual({
      cwd: '/workspace',
      environment: {},
      commandId: 'bg',
      executionId: expect.any(String),
      pid: 3,
      commandName: 'sleep',
      args: ['5', ''],
      startedAt: '2026-01-01T00:00:00.000Z',
      background: true,
      pty: false,
    });
    expect(tty).toMatchObject({ commandId: 'tty', pid: 4, args: [], pty: true });
    expect(cell).toMatchObject({ commandId: 'cell', pid: 5, background: false });
    await all.service.processes.signal({ sessionId: id, commandId: 'bg' }, 'SIGTERM', all.call());
    await settle();
    expect((await list()).map(({ commandId }) => commandId)).toEqual(['tty', 'cell']);
    await close();
    await expect(list()).rejects.toMatchObject({ code: 'SESSION_NOT_FOUND' });
  });

  it('is nobody else’s', async () => {
    const { session, service, call } = openService({ script });
    const { id } = await session({}, { owner: 'me' });
    await expect(service.processes.list(id, call({ owner: 'other' }))).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
  });
});
