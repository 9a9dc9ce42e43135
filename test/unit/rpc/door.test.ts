import { describe, expect, it } from 'vitest';
import type { SpawnSpec } from '../../../src/sandbox.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Scripted } from '../support/memory-process.ts';
import { openDoor } from '../support/open-door.ts';
import { byName, cells, ends, prints, runsOn } from '../support/scripts.ts';

standStill();

const script = byName({
  kernel: cells({
    hang: ({ on, killed }) =>
      new Promise(resolve => {
        on('SIGINT', () => resolve({}));
        killed.addEventListener('abort', () => resolve({}));
      }),
    say: ({ print }) => print('said').then(() => undefined),
  }),
  sleep: runsOn,
  say: prints('said'),
  true: ends(),
  python3: async (_, { input, print }) => {
    await print(await input());
    return {};
  },
});

/** A door with a session, and its commands as messages. */
async function withSession(options = {}) {
  const door = openDoor({ script, ...options });
  const { result } = await door.ask('session.create', { language: 'python' });
  const { sessionId } = result;
  const execute = (command: object, more: object = {}) =>
    door.message('session.execute', { sessionId, command, ...more });
  const shell = (commandName: string, more: object = {}) =>
    execute({ type: 'execute_shell', commandName, ...more });
  /** Ids of the answers so far, in the order they came. */
  const answered = () => door.received.filter(each => !each.method && each.id > 1).map(({ id }) => id);
  return { ...door, sessionId, execute, shell, answered };
}

describe('commands of one connection', () => {
  it('one after the other run in the order sent, whatever each takes', async () => {
    const { send, shell, answered, runtime } = await withSession();
    const all = [shell('sleep', { timeout: 2 }), shell('sleep', { timeout: 1 }), shell('true')].map(each =>
      send(each),
    );
    await settle();
    expect(runtime.last.processes).toHaveLength(1);
    await pass(2000);
    expect(answered()).toEqual([2]);
    await pass(1000);
    await Promise.all(all);
    expect(answered()).toEqual([2, 3, 4]);
  });

  it('in one batch run in its order, and are answered in one array', async () => {
    const { send, shell, received, runtime } = await withSession();
    const sending = send([shell('sleep', { timeout: 1 }), shell('true'), shell('say')]);
    await settle();
    expect(runtime.last.processes).toHaveLength(1);
    await pass(1000);
    await sending;
    const answer = received.at(-1) as { id: number; result: { result: { outcome: string } } }[];
    expect(answer.map(({ id, result }) => [id, result.result.outcome])).toEqual([
      [2, 'wall_timeout'],
      [3, 'ok'],
      [4, 'ok'],
    ]);
  });

  it('in one batch of more than can begin at once keep their order too', async () => {
    const { send, execute, sessionId, runtime } = await withSession();
    const writes = Array.from({ length: 40 }, (_, i) =>
      execute({ type: 'write_file', path: 'log', content: `${i} `, mode: 'Append' }),
    );
    await send(writes);
    expect(sessionId).toBeTruthy();
    expect(runtime.last.files.text('/workspace/log')).toBe(
      Array.from({ length: 40 }, (_, i) => `${i} `).join(''),
    );
  });

  it('in lines of one message keep their order', async () => {
    const { send, shell, answered } = await withSession();
    const sending = send(shell('sleep', { timeout: 1 }), shell('true'));
    await settle();
    expect(answered()).toEqual([]);
    await pass(1000);
    await sending;
    expect(answered()).toEqual([2, 3]);
  });

  it('keep their order with those that go by their own method', async () => {
    const { send, shell, message, sessionId, answered } = await withSession();
    const sending = send(
      shell('sleep', { timeout: 1 }),
      message('fs.writeFile', { sessionId, path: 'a', content: 'x' }),
      message('fs.readFile', { sessionId, path: 'a' }),
    );
    await settle();
    expect(answered()).toEqual([]);
    await pass(1000);
    await sending;
    expect(answered()).toEqual([2, 3, 4]);
  });

  it('do not hold up another connection’s', async () => {
    const { begin, join, sessionId } = await withSession();
    await begin('session.execute', { sessionId, command: { type: 'execute_shell', commandName: 'sleep' } });
    const other = join();
    const command = { type: 'execute_shell', commandName: 'true' };
    expect(await other.ask('session.execute', { sessionId, command })).toMatchObject({
      result: { success: true },
    });
  });

  it('do not hold up what is no command', async () => {
    const { begin, ask, sessionId } = await withSession();
    await begin('session.execute', { sessionId, command: { type: 'execute_shell', commandName: 'sleep' } });
    expect(await ask('session.get', { sessionId })).toMatchObject({ result: { state: 'Active' } });
    expect(await ask('ping')).toHaveProperty('result');
  });

  it('of another context run beside', async () => {
    const { begin, ask, sessionId } = await withSession();
    await begin('session.execute', { sessionId, command: { type: 'execute_code', code: 'hang' } });
    const command = { type: 'execute_code', code: 'say', context: 'b' };
    expect(await ask('session.execute', { sessionId, command })).toMatchObject({
      result: { result: { stdout: 'said' } },
    });
  });

  it('wait for room for their answers before they begin', async () => {
    const { jam, begin, sessionId, runtime } = await withSession();
    const go = jam();
    const command = { type: 'execute_shell', commandName: 'true' };
    await begin('session.execute', { sessionId, command });
    expect(runtime.last.processes).toEqual([]);
    go();
    await settle();
    expect(runtime.last.processes).toHaveLength(1);
  });

  it('end with an error each in a batch that names no session, and the others run', async () => {
    const { send, message, shell, received } = await withSession();
    const command = { type: 'execute_shell', commandName: 'true' };
    await send([message('session.execute', { sessionId: 'nobody', command }), shell('true')]);
    const answer = received.at(-1) as { error?: { data: { code: string } }; result?: object }[];
    expect(answer.map(({ error }) => error?.data.code ?? 'ok').sort()).toEqual(['SESSION_NOT_FOUND', 'ok']);
  });
});

describe('fs.* without a session’s name', () => {
  it('means the session that was created last, though its answer is not out yet', async () => {
    const { send, message, received, runtime } = openDoor({ script });
    await send([
      message('session.create', { language: 'python' }),
      message('fs.writeFile', { path: 'a', content: 'x' }),
    ]);
    expect((received[0] as object[]).every(answer => 'result' in answer)).toBe(true);
    expect(runtime.last.files.text('/workspace/a')).toBe('x');
  });

  it('means the one before where another could not be created', async () => {
    const { ask, runtime } = await withSession();
    await ask('session.create', { language: 'cobol' });
    expect(await ask('fs.writeFile', { path: 'a', content: 'x' })).toMatchObject({ result: { bytes: 1 } });
    expect(runtime.last.files.text('/workspace/a')).toBe('x');
  });

  it('is refused where none was', async () => {
    const { ask } = openDoor({ script });
    expect(await ask('fs.readFile', { path: 'a' })).toMatchObject({
      error: { data: { code: 'SESSION_NOT_FOUND' } },
    });
  });

  it('fails as a command where the command does', async () => {
    const { ask } = await withSession();
    expect(await ask('fs.readFile', { path: 'a' })).toMatchObject({
      error: { code: -31052, message: 'File not found: /workspace/a', data: { code: 'COMMAND_FAILED' } },
    });
  });

  it('names a bad field as the client wrote it', async () => {
    const { ask } = await withSession();
    expect(await ask('fs.readFile', { path: '..' })).toMatchObject({
      error: { code: -32602, data: { code: 'VALIDATION_ERROR', field: 'path' } },
    });
  });
});

describe('a command that streams', () => {
  it('is answered after its events', async () => {
    const { send, execute, received, sessionId } = await withSession();
    await send(execute({ type: 'execute_code', id: 'c', code: 'say' }, { stream: true }));
    expect(received.slice(1).map(each => each.method ?? 'answer')).toEqual([
      'execution.started',
      'execution.output',
      'execution.completed',
      'answer',
    ]);
    expect(received[2]?.params).toMatchObject({ sessionId, commandId: 'c', text: 'said', seq: 2 });
  });

  it('is refused where nothing could be sent', async () => {
    const { join, sessionId } = await withSession();
    const command = { type: 'execute_code', code: 'say' };
    expect(
      await join({ live: false }).ask('session.execute', { sessionId, command, stream: true }),
    ).toMatchObject({ error: { data: { code: 'NOT_SUPPORTED', field: 'stream' } } });
  });

  it('tells nothing to a client that asked for no notifications', async () => {
    const { ask, send, execute, notified } = await withSession();
    await ask('initialize', { clientCapabilities: { requestsStreaming: false } });
    await send(execute({ type: 'execute_code', code: 'say' }, { stream: true }));
    expect(notified()).toEqual([]);
  });

  it('does not begin while its client does not read', async () => {
    const { jam, begin, sessionId, runtime, answerTo } = await withSession();
    const go = jam();
    const command = { type: 'execute_shell', commandName: 'say' };
    const id = await begin('session.execute', { sessionId, command, stream: true });
    expect(runtime.last.processes).toEqual([]);
    go();
    await settle();
    expect(answerTo(id)).toMatchObject({ result: { success: true } });
  });

  it('is answered after its events however slowly its client reads', async () => {
    const { jam, begin, sessionId, answerTo, notified } = await withSession({
      script: async (_: SpawnSpec, { print }: Scripted) => {
        await new Promise(resolve => setTimeout(resolve, 10));
        await print('a');
        return {};
      },
    });
    const command = { type: 'execute_shell', commandName: 'slow' };
    const id = await begin('session.execute', { sessionId, command, stream: true });
    const go = jam();
    await pass(10);
    expect([notified(), answerTo(id)]).toEqual([['started', 'output'], undefined]);
    go();
    await settle();
    expect(notified()).toEqual(['started', 'output', 'completed']);
    expect(answerTo(id)).toMatchObject({ result: { success: true } });
  });

  it('can be fed while it runs', async () => {
    const { begin, ask, answerTo, received } = openDoor({ script });
    const id = await begin('execution.run', { language: 'python', code: 'x', stream: true });
    const { executionId } = received[0].params;
    expect(
      await ask('process.input', { executionId, data: 'dHlwZWQ=', encoding: 'base64', eof: true }),
    ).toEqual({
      jsonrpc: '2.0',
      id: 2,
      result: { bytes: 5, eof: true },
    });
    await settle();
    expect(answerTo(id)).toMatchObject({ result: { stdout: 'typed' } });
  });

  it('in the background tells its end though it does not stream', async () => {
    const { send, execute, notified, answerTo } = await withSession();
    await send(execute({ type: 'execute_shell', commandName: 'say', background: true }));
    await settle();
    expect(answerTo(2)).toMatchObject({ result: { success: true } });
    expect(notified()).toEqual(['started', 'output', 'completed']);
  });
});

describe('session.attach', () => {
  it('replays what a session told to another client, and goes on live', async () => {
    const { send, execute, join, sessionId } = await withSession();
    await send(execute({ type: 'execute_code', code: 'say' }, { stream: true }));
    const late = join();
    expect(await late.ask('session.attach', { sessionId })).toMatchObject({
      result: { lastSeq: 3, complete: true, firstAvailable: null, afterSeq: 0 },
    });
    await settle();
    await send(execute({ type: 'execute_code', code: 'say' }, { stream: true }));
    await settle();
    expect(late.notified()).toEqual(['started', 'output', 'completed', 'started', 'output', 'completed']);
  });

  it('answers before the events', async () => {
    const { send, execute, join, sessionId } = await withSession();
    await send(execute({ type: 'execute_code', code: 'say' }, { stream: true }));
    const late = join();
    await late.ask('session.attach', { sessionId, afterSeq: 1 });
    await settle();
    expect(late.received.map(each => each.method ?? 'answer')).toEqual([
      'answer',
      'execution.output',
      'execution.completed',
    ]);
  });

  it('refuses a number that was not given out yet', async () => {
    const { ask, sessionId } = await withSession();
    expect(await ask('session.attach', { sessionId, afterSeq: 1 })).toMatchObject({
      error: { data: { code: 'VALIDATION_ERROR', field: 'afterSeq' } },
    });
  });

  it('is not there for another owner', async () => {
    const { join, sessionId } = await withSession();
    expect(await join({ owner: 'another' }).ask('session.attach', { sessionId })).toMatchObject({
      error: { data: { code: 'SESSION_NOT_FOUND' } },
    });
  });
});

describe('$/cancelRequest', () => {
  it('ends the command, which is answered as cancelled', async () => {
    const { begin, ask, answerTo, sessionId, runtime } = await withSession();
    const command = { type: 'execute_shell', commandName: 'sleep' };
    const id = await begin('session.execute', { sessionId, command });
    expect(await ask('$/cancelRequest', { id })).toMatchObject({ result: { cancelled: true } });
    await settle();
    expect(answerTo(id)).toMatchObject({ error: { code: -32800, data: { code: 'CANCELLED' } } });
    expect(runtime.last.processes[0]?.runs).toBe(false);
  });

  it('ends one that waits for its turn at once, which never runs', async () => {
    const { begin, ask, answerTo, sessionId, runtime } = await withSession();
    const command = { type: 'execute_shell', commandName: 'sleep' };
    await begin('session.execute', { sessionId, command });
    const id = await begin('session.execute', { sessionId, command });
    await ask('$/cancelRequest', { id });
    await settle();
    expect(answerTo(id)).toMatchObject({ error: { code: -32800 } });
    expect(runtime.last.processes).toHaveLength(1);
  });

  it('ends a run, which is kept as cancelled', async () => {
    const { begin, ask, answerTo, log } = openDoor({ script: runsOn });
    const id = await begin('execution.run', { language: 'python', code: 'x' });
    const { executionId } = log.named('started')[0]!;
    await ask('$/cancelRequest', { id });
    await settle();
    expect(answerTo(id)).toMatchObject({ error: { code: -32800 } });
    expect(await ask('execution.status', { executionId: executionId as string })).toMatchObject({
      result: { status: 'cancelled' },
    });
  });

  it('of nothing in flight says so', async () => {
    const { ask } = openDoor({ script });
    expect(await ask('$/cancelRequest', { id: 99 })).toMatchObject({ result: { cancelled: false } });
  });
});

describe('a client that goes away', () => {
  it('ends what it runs', async () => {
    const { connection, begin, runtime, service } = openDoor({ script: runsOn });
    await begin('execution.run', { language: 'python', code: 'x' });
    connection.close();
    await settle();
    expect(runtime.open).toEqual([]);
    expect((await service.health()).running).toBe(0);
  });

  it('leaves its sessions and their commands to go on', async () => {
    const { connection, begin, sessionId, runtime, join } = await withSession();
    const command = { type: 'execute_shell', commandName: 'sleep' };
    await begin('session.execute', { sessionId, command });
    connection.close();
    await settle();
    expect(runtime.last.processes[0]?.runs).toBe(true);
    expect(await join().ask('session.get', { sessionId })).toHaveProperty('result');
  });

  it('holds no program up any more', async () => {
    const { jam, connection, begin, sessionId, runtime } = await withSession({
      script: byName({
        flood: async (_, { print }) => {
          await new Promise(resolve => setTimeout(resolve, 10));
          for (let i = 0; i < 40; i++) await print('x'.repeat(50_000));
          return {};
        },
      }),
    });
    const command = { type: 'execute_shell', commandName: 'flood' };
    await begin('session.execute', { sessionId, command, stream: true });
    jam();
    await pass(10);
    expect(runtime.last.processes[0]?.runs).toBe(true);
    connection.close();
    await settle();
    await settle();
    expect(runtime.last.processes[0]?.runs).toBe(false);
  });
});

describe('execution.run', () => {
  it('answers when the run has ended', async () => {
    const { ask } = openDoor({ script });
    expect(await ask('execution.run', { language: 'python', code: 'x', stdin: 'in' })).toMatchObject({
      result: { status: 'completed', stdout: 'in' },
    });
  });

  it('sends its events before its answer where it streams', async () => {
    const { ask, received } = openDoor({ script });
    await ask('execution.run', { language: 'python', code: 'x', stdin: 'in', stream: true });
    expect(received.map(each => each.method ?? 'answer')).toEqual([
      'execution.started',
      'execution.output',
      'execution.completed',
      'answer',
    ]);
  });

  it('takes the fields of config beside the others, and under older names', async () => {
    const { ask, runtime } = openDoor({ script });
    await ask('execution.run', { language: 'python', code: 'x', memory_limit: 64, cpuLimit: 0.5 });
    expect(runtime.specs[0]?.limits).toMatchObject({ memoryBytes: 64 << 20, cpus: 0.5 });
  });

  it.each([
    ['QUEUE_FULL', -31053, { settings: { maxConcurrency: 1, maxQueue: 0 } }],
    [
      'RUNTIME_UNAVAILABLE',
      -31032,
      { state: { available: false, reason: 'no', remedy: null, version: null } as const },
    ],
  ])('that is refused says why: %s', async (code, number, options) => {
    const { ask, begin } = openDoor({ script: runsOn, ...options });
    await begin('execution.run', { language: 'python', code: 'x' });
    expect(await ask('execution.run', { language: 'python', code: 'x' })).toMatchObject({
      error: { code: number, data: { code } },
    });
  });

  it('many in one batch share the queue, and are all answered', async () => {
    const { send, message, received } = openDoor({ script, settings: { maxConcurrency: 2 } });
    const runs = Array.from({ length: 20 }, (_, i) =>
      message('execution.run', { language: 'python', code: 'x', stdin: `${i}` }),
    );
    await send(runs);
    const answers = received[0] as { id: number; result: { stdout: string } }[];
    expect(
      answers.map(({ id, result }) => [id, result.stdout]).sort(([a], [b]) => Number(a) - Number(b)),
    ).toEqual(runs.map(({ id }, i) => [id, `${i}`]));
  });
});

describe('initialize', () => {
  it('says what this server can do', async () => {
    const { ask } = openDoor({ script });
    expect(await ask('initialize', {})).toMatchObject({
      result: {
        serverCapabilities: {
          supportsStreaming: true,
          supportedLanguages: ['python'],
          limits: { maxTimeout: 300 },
        },
      },
    });
  });

  it.each([
    ['python', true],
    ['py', true],
    ['go', false],
    ['cobol', false],
  ])('that requires %s is answered well: %s', async (language, well) => {
    const { ask } = openDoor({ script });
    const answer = await ask('initialize', { clientCapabilities: { requiredLanguages: [language] } });
    expect('result' in answer).toBe(well);
  });
});
