import { describe, expect, it } from 'vitest';
import type { ExecutionEvent } from '../../../src/schemas/events.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { openService, readAll, type ServiceOptions } from '../support/open-service.ts';
import { byName, cells, ends, prints, runsOn } from '../support/scripts.ts';

standStill();

const write = (path: string, content = path) => ({ type: 'write_file', path, content });
const read = (path: string) => ({ type: 'read_file', path });
const shell = (commandName: string, more: object = {}) => ({ type: 'execute_shell', commandName, ...more });
const cell = (code: string, more: object = {}) => ({ type: 'execute_code', code, ...more });

const script = byName({
  kernel: cells({
    fail: () => ({ error: { name: 'ValueError', message: 'no', traceback: '' } }),
    hang: ({ killed }) => new Promise(done => killed.addEventListener('abort', () => done({}))),
  }),
  hello: prints('hello'),
  sleep: runsOn,
  false: ends({ code: 1 }),
  true: ends(),
});

async function open(options: ServiceOptions = {}, config: object = {}) {
  const all = openService({ script, ...options });
  const opened = await all.session(config);
  const begun = () => all.log.named('taken').flatMap(({ command }) => command ?? []);
  return { ...all, ...opened, begun, files: all.runtime.last.files };
}

const successes = ({ results }: { results: ({ success: boolean } | null)[] }) =>
  results.map(each => each?.success ?? null);

describe('a batch', () => {
  it('runs its commands in order and answers all of them in that order', async () => {
    const { batch, begun, info } = await open();
    const done = await batch({ commands: [write('a', 'x'), read('a'), shell('hello'), cell('1')] });
    expect(done).toMatchObject({
      success: true,
      results: [
        { type: 'write_file', result: { bytes: 1 } },
        { type: 'read_file', result: { content: 'x' } },
        { type: 'execute_shell', result: { stdout: 'hello' } },
        { type: 'execute_code', success: true },
      ],
      completed: 4,
      rolledBack: false,
      contextsRestarted: [],
    });
    expect(begun()).toEqual(['write_file', 'read_file', 'execute_shell', 'execute_code']);
    expect(await info()).toMatchObject({ executionCount: 4, state: 'Idle' });
  });

  it('leaves undone what follows a failure', async () => {
    const { batch, files } = await open();
    const done = await batch({ commands: [write('a'), cell('fail'), write('b')] });
    expect(done).toMatchObject({ success: false, completed: 2 });
    expect(done.results).toMatchObject([{ success: true }, { error: 'ValueError: no' }, null]);
    expect([...files.contents.keys()]).toEqual(['/workspace/a']);
  });

  it('goes on after a failure where it is told to', async () => {
    const { batch } = await open();
    const done = await batch({ commands: [read('none'), write('b')], stopOnError: false });
    expect([done.success, done.completed, successes(done)]).toEqual([false, 2, [false, true]]);
  });

  it('goes on after a program that ran and failed', async () => {
    const { batch } = await open();
    const done = await batch({ commands: [shell('false'), write('b')] });
    expect([done.success, successes(done)]).toEqual([true, [true, true]]);
  });

  it.each([
    ['commands[1]', [write('a'), 1]],
    ['commands[1].type', [write('a'), { type: 'execution.runCommands', commands: [] }]],
    ['commands[1].content', [write('a'), { type: 'write_file', path: 'b' }]],
    ['commands[1].params.content', [write('a'), { type: 'write_file', params: { path: 'b' } }]],
    ['commands[1].id', [write('a'), { ...write('b'), id: '' }]],
    ['commands[2].path', [write('a'), write('b'), write('../c')]],
    ['commands[1].path', [write('a'), { type: 'delete_file', path: '/workspace' }]],
    ['commands[1].content', [write('a'), { ...write('b', '!'), encoding: 'base64' }]],
    ['commands[1].timeout', [write('a'), shell('true', { timeout: 1e6 })]],
    ['commands[1].timeout', [write('a'), shell('true', { timeout: 1e6, background: true })]],
    ['commands[1].timeout', [write('a'), cell('1', { timeout: 1e6 })]],
    ['commands[1].language', [write('a'), cell('1', { language: 'cobol', background: true })]],
    ['commands[1].memoryLimit', [write('a'), cell('1', { memoryLimit: 100_000 })]],
    ['commands[1].originalPath', [write('a'), { type: 'diff', modifiedPath: 'a' }]],
    ['commands[1].targetPath', [write('a'), { type: 'apply_patch', patch: 'x', targetPath: '/etc' }]],
  ])('is refused as a whole for %s of %j', async (field, commands) => {
    const { batch, begun, files } = await open();
    await expect(batch({ commands })).rejects.toMatchObject({ field });
    expect([begun(), files.contents.size]).toEqual([[], 0]);
  });

  it('does not stop at an error in a batch that waits for nothing', async () => {
    const { batch } = await open();
    await expect(batch({ commands: [write('a')], parallel: true, stopOnError: true })).rejects.toMatchObject({
      field: 'stopOnError',
    });
  });

  it('is another owner’s session’s for nobody else', async () => {
    const { batch } = await open();
    await expect(batch({ commands: [write('a')] }, { owner: 'other' })).rejects.toMatchObject({
      code: 'SESSION_NOT_FOUND',
    });
  });

  it('counts as one where nothing is kept from command to command', async () => {
    const { batch, files } = await open({}, { persistFilesystem: false });
    const done = await batch({ commands: [write('a'), read('a')] });
    expect(successes(done)).toEqual([true, true]);
    expect(files.contents.size).toBe(0);
  });

  it('leaves what ran in the session before it to be asked for', async () => {
    const { batch, execute, service, call } = await open();
    let executionId = '';
    await execute(shell('true'), {}, { onTaken: taken => (executionId = taken.executionId) });
    await batch({ commands: Array.from({ length: 100 }, (_, i) => write(`${i}`)) });
    expect(await service.executions.status(executionId, call())).toMatchObject({ status: 'completed' });
  });
});

const NONE = { parallel: false, stopOnError: true, transactional: false };

describe('commands side by side', () => {
  it('are as many at once as the server runs', async () => {
    const { batch, runtime } = await open({ settings: { maxConcurrency: 3 } });
    const commands = [1, 1, 1, 1, 1].map(timeout => shell('sleep', { timeout }));
    const done = batch({ commands, parallel: true });
    await settle();
    expect(runtime.last.processes).toHaveLength(3);
    await pass(1000);
    expect(runtime.last.processes).toHaveLength(5);
    await pass(1000);
    expect(successes(await done)).toEqual([true, true, true, true, true]);
  });

  it('do not wait for one another, and one that fails leaves the others alone', async () => {
    const { batch } = await open();
    const commands = [shell('sleep', { timeout: 5 }), cell('fail', { context: 'a' }), write('a')];
    const done = batch({ commands, parallel: true });
    await pass(5000);
    expect(await done).toMatchObject({ success: false, completed: 3 });
    expect(successes(await done)).toEqual([true, false, true]);
  });
});

describe('a batch in its connection', () => {
  it('waits for what was sent before in a context that it uses, and holds up what follows', async () => {
    const { batch, execute, begun } = await open();
    const lane = { lane: 'one' };
    const first = execute({ ...cell('hang', { context: 'b' }), timeout: 1 }, lane);
    const second = batch({ commands: [write('x'), cell('1', { context: 'b' })] }, lane);
    const third = execute(read('x'), lane);
    await settle();
    expect(begun()).toEqual(['execute_code']);
    await pass(3000);
    await Promise.all([first, second]);
    expect((await third).result).toMatchObject({ success: true });
    expect(begun()).toEqual(['execute_code', 'write_file', 'execute_code', 'read_file']);
  });

  it('does not wait for another context', async () => {
    const { batch, execute } = await open();
    const lane = { lane: 'one' };
    void execute(cell('hang', { context: 'b' }), lane);
    expect(await batch({ commands: [write('x'), cell('1')] }, lane)).toMatchObject({ success: true });
  });
});

describe('a cancelled batch', () => {
  it('ends what runs, leaves the rest undone and answers with what there is', async () => {
    const { batch, service, call, runtime } = await open();
    let executionId = '';
    const commands = [write('a'), shell('sleep'), write('b')];
    const done = batch({ commands }, {}, { onTaken: taken => (executionId = taken.executionId) });
    await settle();
    expect(await service.executions.status(executionId, call())).toMatchObject({ status: 'running' });
    expect(await service.executions.cancel(executionId, call())).toMatchObject({ status: 'cancelled' });
    const { success, results, completed } = await done;
    expect(results).toMatchObject([{ success: true }, { result: { outcome: 'cancelled' } }, null]);
    expect([success, completed, runtime.last.files.contents.size]).toEqual([false, 2, 1]);
  });

  it('is an error to who cancels the request, once all has ended', async () => {
    const { batch, runtime } = await open();
    const gone = new AbortController();
    const done = batch({ commands: [shell('sleep'), write('b')] }, { signal: gone.signal });
    await settle();
    gone.abort();
    await expect(done).rejects.toMatchObject({ code: 'CANCELLED' });
    expect([runtime.last.processes[0]?.kills.length, runtime.last.files.contents.size]).toEqual([1, 0]);
  });

  it('ends with its session', async () => {
    const { batch, close } = await open();
    const done = batch({ commands: [shell('sleep'), write('b')] });
    await settle();
    await close();
    expect((await done).results).toMatchObject([{ result: { outcome: 'cancelled' } }, null]);
  });

  it('is told that the server shuts down when that cuts it off', async () => {
    const { batch, service } = await open();
    const done = batch({ commands: [shell('sleep')] });
    done.catch(() => {});
    await settle();
    await service.close();
    await expect(done).rejects.toMatchObject({ code: 'SHUTTING_DOWN' });
  });
});

describe('the events of a batch', () => {
  const told = async (commands: object[]) => {
    const { batch, events, close } = await open();
    const reading = readAll(await events());
    await batch({ commands }, {}, { stream: true });
    await close();
    return reading;
  };
  const progress = (events: ExecutionEvent[]) =>
    events.flatMap(({ method, params }) => (method === 'execution.progress' ? [params] : []));

  it('tell each command’s own, and its result as it comes', async () => {
    const events = await told([shell('hello'), read('none')]);
    const [whole] = events;
    expect(whole?.method).toBe('execution.started');
    const { executionId } = whole!.params;
    expect(events.at(-1)).toMatchObject({
      method: 'execution.completed',
      params: {
        executionId,
        status: 'failed',
        message: 'commands[1]: File not found: /workspace/none',
      },
    });
    expect(progress(events)).toMatchObject([
      { executionId, step: 1, total: 2, message: 'execute_shell', index: 0, result: { success: true } },
      { executionId, step: 2, total: 2, message: 'read_file', index: 1, result: { success: false } },
    ]);
    const own = events.filter(({ params }) => params.executionId !== executionId);
    expect(own.map(({ method }) => method.slice(10))).toEqual([
      'started',
      'output',
      'completed',
      'started',
      'completed',
    ]);
  });

  it('leave out a result that is large', async () => {
    const large = write('a', 'x'.repeat(2 ** 20 + 1));
    const [, second] = progress(await told([large, read('a')]));
    expect(second).toMatchObject({ step: 2, message: 'read_file' });
    expect(second).not.toHaveProperty('result');
  });
});

describe('a batch without a session', () => {
  it('has one of its own, which is closed after it', async () => {
    const { service, runtime, call } = openService({ script });
    const opened: string[] = [];
    const batch = { ...NONE, commands: [] };
    const { result } = await service.sessions.runCommands({ language: 'python' }, batch, call(), {
      beforeStart: async id => void opened.push(id),
    });
    expect(result).toMatchObject({ success: true, results: [] });
    expect(opened).toHaveLength(1);
    await settle();
    expect([runtime.open.length, runtime.sandboxes.length]).toEqual([0, 1]);
  });

  it('is answered before its session is closed, whose place the next one waits for', async () => {
    const { service, runtime, call } = openService({ script, settings: { maxSessions: 1 } });
    const batch = { ...NONE, commands: [] };
    const run = () => service.sessions.runCommands({ language: 'python' }, batch, call());
    await run();
    expect(runtime.open.length).toBe(1);
    await run();
    expect(runtime.sandboxes.length).toBe(2);
    await settle();
    expect(runtime.open.length).toBe(0);
    expect(await service.sessions.list({}, call())).toMatchObject({ count: 0 });
  });

  it('keeps nobody waiting for its own end where another place is free', async () => {
    const { service, session, runtime, call } = openService({ script, settings: { maxSessions: 2 } });
    const never = new Promise<void>(() => {});
    const run = async (closed: Promise<void>) => {
      runtime.prepare = sandbox => {
        sandbox.beforeClose = () => closed;
      };
      await service.sessions.runCommands({ language: 'python' }, { ...NONE, commands: [] }, call());
    };
    const closed = Promise.withResolvers<void>();
    await run(never);
    await run(closed.promise);
    const second = session();
    const third = session();
    third.catch(() => {});
    await settle();
    expect(runtime.sandboxes.length).toBe(2);
    closed.resolve();
    await second;
    await settle();
    expect([runtime.sandboxes.length, runtime.open.length]).toEqual([3, 2]);
  });

  it.each(['CANCELLED', 'SHUTTING_DOWN'])(
    'leaves its place to nobody who is told %s meanwhile',
    async code => {
      const { service, session, runtime, call } = openService({ script, settings: { maxSessions: 1 } });
      const closed = Promise.withResolvers<void>();
      runtime.prepare = sandbox => {
        sandbox.beforeClose = () => closed.promise;
      };
      await service.sessions.runCommands({ language: 'python' }, { ...NONE, commands: [] }, call());
      const gone = new AbortController();
      const waiting = session({}, { signal: gone.signal });
      waiting.catch(() => {});
      await settle();
      if (code === 'CANCELLED') gone.abort();
      else void service.close();
      closed.resolve();
      await expect(waiting).rejects.toMatchObject({ code });
      expect(runtime.sandboxes.length).toBe(1);
    },
  );

  it('is refused where its language is none', async () => {
    const { service, call } = openService();
    const asked = service.sessions.runCommands({ language: 'cobol' }, { ...NONE, commands: [] }, call());
    await expect(asked).rejects.toMatchObject({ code: 'UNSUPPORTED_LANGUAGE', field: 'language' });
  });
});
