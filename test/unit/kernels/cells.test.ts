import { describe, expect, it } from 'vitest';
import { FileRefused } from '../../../src/sandbox.ts';
import { bun } from '../../../src/toolchains/bun.ts';
import { cpython } from '../../../src/toolchains/cpython.ts';
import { gc } from '../../../src/toolchains/go.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import { namesOf, openService, readAll } from '../support/open-service.ts';
import { byName, cellError, cells, ends, kernel, prints, runsOn } from '../support/scripts.ts';

standStill();

const MB = 1024 * 1024;
const forever = (killed: AbortSignal) =>
  new Promise<undefined>(resolve => killed.addEventListener('abort', () => resolve(undefined)));

/** Cells for most of what can come of one. */
const script = cells({
  ok: ({ print }) => print('fine').then(() => undefined),
  fail: () => ({ error: cellError('ValueError', 'no') }),
  bare: () => ({ error: cellError('SystemExit') }),
  result: () => ({ results: [{ 'text/plain': '42' }] }),
  hang: ({ on, killed }, _cell) =>
    new Promise(resolve => {
      on('SIGINT', () => resolve({ error: cellError('KeyboardInterrupt') }));
      void forever(killed).then(resolve);
    }),
  stuck: ({ on, killed }) => {
    on('SIGINT', () => {});
    return forever(killed);
  },
  read: ({ input, print }) => input().then(text => print(text).then(() => undefined)),
  oom: ({ sandbox }) => {
    sandbox.use({ oomKills: 1 });
    return { error: cellError('MemoryError') };
  },
});

type Answer = { success: boolean; error: string | null; result: Record<string, unknown> };

/** A session of Python, and its answers to cells. */
async function python(options: Parameters<typeof openService>[0] = {}, config = {}) {
  const all = openService({ script, ...options });
  const opened = await all.session(config);
  const cell = async (code: string, more: object = {}, over: object = {}) =>
    (await opened.cell(code, more, over)) as unknown as Answer;
  return { ...all, ...opened, cell, kernels: () => all.runtime.last.processes.filter(p => p.spec.control) };
}

describe('execute_code', () => {
  it('answers with all that came of the cell', async () => {
    const { cell } = await python();
    expect(await cell('ok')).toMatchObject({
      success: true,
      error: null,
      result: {
        exitCode: 0,
        stdout: 'fine',
        stderr: '',
        outcome: 'ok',
        results: [],
        error: null,
        executionCount: 1,
        durationMs: 0,
        usage: { wallMs: 0, oomKilled: false, limitsHit: [] },
      },
    });
  });

  it('starts the interpreter with the first cell, and one only', async () => {
    const { cell, kernels } = await python();
    expect(kernels()).toHaveLength(0);
    await cell('ok');
    await cell('ok');
    expect(kernels()).toHaveLength(1);
  });

  it('counts the cells of a context', async () => {
    const { cell } = await python();
    const count = async (context?: string) =>
      (await cell('ok', context ? { context } : {})).result.executionCount;
    expect([await count(), await count(), await count('b'), await count('default')]).toEqual([1, 2, 1, 3]);
  });

  it('gives each context an interpreter of its own', async () => {
    const { cell, kernels } = await python();
    await cell('ok');
    await cell('ok', { context: 'b' });
    expect(kernels()).toHaveLength(2);
  });

  it.each([
    ['fail', 'ValueError: no', { outcome: 'nonzero_exit', exitCode: 1 }],
    ['bare', 'SystemExit', { outcome: 'nonzero_exit' }],
    ['oom', 'Memory limit exceeded (memory_limit)', { outcome: 'memory_limit' }],
  ])('says of the cell %s what went wrong', async (code, error, result) => {
    const { cell } = await python();
    expect(await cell(code)).toMatchObject({ success: false, error, result });
  });

  it('gives the exception with its traceback', async () => {
    const { cell } = await python();
    expect((await cell('fail')).result.error).toEqual({
      name: 'ValueError',
      message: 'no',
      traceback: 'ValueError!',
    });
  });

  it('gives rich results, and tells them as they come', async () => {
    const { cell, execute, events, close } = await python();
    expect((await cell('result')).result.results).toEqual([{ 'text/plain': '42' }]);
    const told = readAll(events());
    await execute({ type: 'execute_code', code: 'result' }, {}, { stream: true });
    await close();
    expect(namesOf(await told)).toEqual(['started', 'result', 'completed']);
  });

  it('feeds standard input', async () => {
    const { cell } = await python();
    expect((await cell('read', { stdin: 'typed' })).result.stdout).toBe('typed');
    expect((await cell('read', { stdin: 'again' })).result.stdout).toBe('again');
  });

  it('refuses packages where the server installs none', async () => {
    const { cell } = await python();
    await expect(cell('ok', { packages: ['numpy'] })).rejects.toMatchObject({
      code: 'NOT_SUPPORTED',
      field: 'command.packages',
    });
    expect(await cell('ok', { packages: [] })).toMatchObject({ success: true });
  });

  it('says why no interpreter came up, and tries again with the next cell', async () => {
    let starts = 0;
    const { cell } = await python({
      script: (spec, program) => (++starts === 1 ? ends({ code: 1 }) : script)(spec, program),
    });
    expect(await cell('ok')).toMatchObject({
      success: false,
      error: 'The interpreter ended before it was ready',
    });
    expect(await cell('ok')).toMatchObject({ success: true });
  });
});

describe('a cell that does not end', () => {
  it('is interrupted at its time, and the state stays', async () => {
    const { cell, kernels } = await python();
    const running = cell('hang', { timeout: 2 });
    await pass(2000);
    expect(await running).toMatchObject({
      success: false,
      error: 'Time limit exceeded (wall_timeout)',
      result: { outcome: 'wall_timeout', durationMs: 2000 },
    });
    await cell('ok');
    expect(kernels()).toHaveLength(1);
  });

  it('has thirty seconds by default', async () => {
    const { cell } = await python();
    const running = cell('hang');
    await pass(30_000);
    expect((await running).result).toMatchObject({ outcome: 'wall_timeout', durationMs: 30_000 });
  });

  it('takes its interpreter with it when it does not give in, and says that state is gone', async () => {
    const { cell, kernels } = await python();
    const running = cell('stuck', { timeout: 2 });
    await pass(2000);
    await pass(3000);
    expect((await running).error).toBe(
      'Time limit exceeded (wall_timeout); the interpreter was restarted and its state is gone',
    );
    await cell('ok');
    expect(kernels().map(({ runs }) => runs)).toEqual([false, true]);
  });

  it('takes its interpreter with it where that cannot be interrupted', async () => {
    const { session } = openService({ type: 'Bun', toolchains: [bun], script });
    const { cell } = await session({ language: 'javascript' });
    const running = cell('hang', { timeout: 2 });
    await pass(2000);
    expect((await running).error).toMatch(/its state is gone$/);
  });

  it('is refused more time than the server gives', async () => {
    const { cell } = await python({ settings: { maxTimeoutSeconds: 5 } });
    await expect(cell('ok', { timeout: 6 })).rejects.toMatchObject({ field: 'command.timeout' });
  });

  it('leaves the queue when it is over', async () => {
    const { cell, service } = await python();
    const running = cell('hang', { timeout: 1 });
    await settle();
    expect((await service.health()).running).toBe(1);
    await pass(1000);
    await running;
    expect((await service.health()).running).toBe(0);
  });
});

describe('an interpreter that ends under a cell', () => {
  it.each([
    ['exit code 3', { code: 3 }, 'nonzero_exit'],
    ['SIGSEGV', { signal: 'SIGSEGV' as const }, 'signalled'],
  ])('says how: %s', async (how, end, outcome) => {
    const { cell, kernels } = await python({
      script: async (_, program) => {
        program.control({ ready: true });
        for await (const _request of program.requests()) break;
        return end;
      },
    });
    expect(await cell('ok')).toMatchObject({
      success: false,
      error: `The interpreter ended (${how}); the interpreter was restarted and its state is gone`,
      result: { outcome },
    });
    await cell('ok');
    expect(kernels()).toHaveLength(2);
  });

  it('goes on counting cells', async () => {
    const { cell, kernels } = await python();
    await cell('ok');
    kernels()[0]?.kill();
    await settle();
    expect((await cell('ok')).result.executionCount).toBe(2);
  });
});

describe('restart_context', () => {
  it('ends the interpreter, and the next cell starts another', async () => {
    const { cell, execute, kernels } = await python();
    await cell('ok');
    expect((await execute({ type: 'restart_context' })).result).toMatchObject({
      success: true,
      result: { context: 'default' },
    });
    expect(kernels()[0]?.runs).toBe(false);
    await cell('ok');
    expect(kernels()).toHaveLength(2);
  });

  it('ends a cell that runs there', async () => {
    const { cell, execute } = await python();
    const running = cell('stuck');
    await settle();
    await execute({ type: 'restart_context' });
    expect(await running).toMatchObject({ success: false, result: { outcome: 'signalled' } });
  });

  it('leaves other contexts alone', async () => {
    const { cell, execute, kernels } = await python();
    await cell('ok', { context: 'a' });
    await execute({ type: 'restart_context', context: 'b' });
    expect(kernels()[0]?.runs).toBe(true);
  });

  it('of a context that has run nothing is no error', async () => {
    const { execute } = await python();
    expect((await execute({ type: 'restart_context', context: 'new' })).result.success).toBe(true);
  });
});

describe('cells take turns', () => {
  it('in one context, though nobody orders them', async () => {
    const { cell, kernels } = await python();
    const first = cell('hang', { timeout: 1 });
    const second = cell('ok');
    await settle();
    expect(kernels()[0]?.told).toHaveLength(1);
    await pass(1000);
    expect([(await first).success, (await second).success]).toEqual([false, true]);
  });

  it('in different contexts run beside each other', async () => {
    const { cell } = await python();
    void cell('hang');
    await settle();
    expect(await cell('ok', { context: 'b' })).toMatchObject({ success: true });
  });

  it('and one that is cancelled while it waits never runs', async () => {
    const { cell, kernels } = await python();
    void cell('hang');
    const gone = new AbortController();
    const waiting = cell('ok', {}, { signal: gone.signal });
    await settle();
    gone.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(kernels()[0]?.told).toHaveLength(1);
  });

  it('and wait for a place in the queue', async () => {
    const { cell, session, service } = await python({ settings: { maxConcurrency: 1 } });
    const other = await session();
    void cell('hang', { timeout: 1 });
    const waiting = other.cell('ok');
    await settle();
    expect(await service.health()).toMatchObject({ running: 1, queued: 1 });
    await pass(1000);
    expect(await waiting).toMatchObject({ success: true });
  });

  it('and are refused when the queue is full', async () => {
    const { cell, session } = await python({ settings: { maxConcurrency: 1, maxQueue: 0 } });
    const other = await session();
    void cell('hang');
    await settle();
    await expect(other.cell('ok')).rejects.toMatchObject({ code: 'QUEUE_FULL', retryAfter: 1 });
  });

  it('and a refused one leaves its context free', async () => {
    const { cell, session } = await python({ settings: { maxConcurrency: 1, maxQueue: 0 } });
    const other = await session();
    void other.cell('hang', { timeout: 1 });
    await settle();
    await expect(cell('ok')).rejects.toMatchObject({ code: 'QUEUE_FULL' });
    await pass(1000);
    expect(await cell('ok')).toMatchObject({ success: true });
  });

  it('and the log says how long one waited', async () => {
    const { cell, session, log } = await python({ settings: { maxConcurrency: 1 } });
    const other = await session();
    void cell('hang', { timeout: 1 });
    const waiting = other.cell('ok');
    await pass(1000);
    await waiting;
    expect(log.named('admitted').map(({ waitedMs }) => waitedMs)).toEqual([0, 1000]);
  });
});

describe('a cell with a memory limit of its own', () => {
  it('has it while it runs, and the session’s again after', async () => {
    const { cell, runtime } = await python({}, { memoryLimitMB: 128 });
    const running = cell('hang', { memoryLimit: 64, timeout: 1 });
    await settle();
    expect(runtime.last.limits.memoryBytes).toBe(64 * MB);
    await pass(1000);
    await running;
    expect(runtime.last.limits.memoryBytes).toBe(128 * MB);
  });

  it('is refused more than its session has', async () => {
    const { cell } = await python({}, { memoryLimitMB: 128 });
    await expect(cell('ok', { memoryLimit: 129 })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      field: 'command.memoryLimit',
    });
    expect(await cell('ok', { memoryLimit: 128 })).toMatchObject({ success: true });
  });

  it('is refused less than is used already', async () => {
    const { cell, runtime, service } = await python({}, { memoryLimitMB: 128 });
    runtime.last.obeys = false;
    await expect(cell('ok', { memoryLimit: 64 })).rejects.toMatchObject({ code: 'CONFLICT' });
    expect((await service.health()).running).toBe(0);
  });
});

describe('a cell of another language', () => {
  it('runs where the session’s sandbox has what it takes', async () => {
    const { session, runtime } = openService({
      toolchains: [cpython],
      guests: [bun],
      script,
    });
    const { cell } = await session();
    await cell('ok', { language: 'js' });
    expect(runtime.last.processes[0]?.spec.argv).toContainEqual(expect.stringMatching(/\bbun$/));
  });

  it('shares an interpreter with one that the same one runs', async () => {
    const { session, runtime } = openService({ type: 'Bun', toolchains: [bun], script });
    const { cell } = await session({ language: 'javascript' });
    await cell('ok');
    await cell('ok', { language: 'typescript' });
    expect(runtime.last.processes).toHaveLength(1);
    expect(runtime.last.processes[0]?.told).toMatchObject([{ typescript: false }, { typescript: true }]);
  });

  it.each([
    ['is not known', 'cobol', 'UNSUPPORTED_LANGUAGE'],
    ['the sandbox has nothing for', 'go', 'NOT_SUPPORTED'],
  ])('that %s is refused', async (_what, language, code) => {
    const { cell } = await python();
    await expect(cell('ok', { language })).rejects.toMatchObject({ code, field: 'command.language' });
  });
});

describe('a cell that is compiled', () => {
  /** A session of Go whose compiler and program do what the table says. */
  async function compiling(table: Parameters<typeof byName>[0] = {}) {
    const all = openService({
      type: 'Go',
      toolchains: [gc],
      script: byName({ go: ends(), other: prints('ran'), test: ends(), rm: ends(), ...table }),
    });
    const opened = await all.session({ language: 'go' });
    const cell = async (code: string, more = {}) => (await opened.cell(code, more)) as unknown as Answer;
    const compiled = () => all.runtime.last.processes.filter(({ spec }) => spec.argv[0] === 'go');
    return { ...all, ...opened, cell, compiled };
  }

  it('is compiled from a file and run', async () => {
    const { cell, compiled, runtime } = await compiling();
    expect(await cell('x')).toMatchObject({
      success: true,
      result: { stdout: 'ran', outcome: 'ok', executionCount: 1 },
    });
    const { argv } = compiled()[0]!.spec;
    const output = argv[argv.indexOf('-o') + 1];
    expect(output).toMatch(/^\/tmp\/program-[0-9a-f-]{36}$/);
    expect(argv.at(-1)).toBe('/workspace/.cell/main.go');
    expect(runtime.last.processes.at(-1)?.spec.argv).toEqual([output]);
  });

  it('leaves no source among the session’s files', async () => {
    const { cell, runtime } = await compiling();
    await cell('x');
    expect([...runtime.last.files.contents.keys()]).toEqual([]);
  });

  it('is not compiled again when it has not changed', async () => {
    const { cell, compiled } = await compiling();
    for (const code of ['x', 'x', 'y', 'x']) await cell(code);
    expect(compiled()).toHaveLength(2);
    expect((await cell('x')).result.executionCount).toBe(5);
  });

  it('is compiled again when a program has removed what was compiled', async () => {
    const { cell, compiled } = await compiling({ test: ends({ code: 1 }) });
    for (const code of ['x', 'x']) await cell(code);
    expect(compiled()).toHaveLength(2);
  });

  it('is compiled again when whether it is there cannot be said', async () => {
    const { cell, compiled } = await compiling({ test: runsOn });
    await cell('x');
    const again = cell('x');
    await pass(2000);
    await again;
    expect(compiled()).toHaveLength(2);
  });

  it('is forgotten and removed when eight others came since', async () => {
    const { cell, compiled, runtime } = await compiling();
    for (let i = 0; i < 9; i++) await cell(`${i}`);
    const removed = runtime.last.processes.filter(({ spec }) => spec.argv[0] === 'rm');
    expect(removed.map(({ spec }) => spec.argv[2])).toEqual([
      compiled()[0]!.spec.argv[compiled()[0]!.spec.argv.indexOf('-o') + 1],
    ]);
    await cell('8');
    expect(compiled()).toHaveLength(9);
    await cell('0');
    expect(compiled()).toHaveLength(10);
  });

  it('is kept before others when it was used since', async () => {
    const { cell, compiled } = await compiling();
    for (const code of ['0', '1', '2', '3', '4', '5', '6', '7', '0', '8', '0']) await cell(code);
    expect(compiled()).toHaveLength(9);
    await cell('1');
    expect(compiled()).toHaveLength(10);
  });

  it('that does not compile gives what the compiler says', async () => {
    const { cell } = await compiling({ go: prints('# cmd\nmain.go:1: no\n', { code: 1 }, 'stderr') });
    expect(await cell('x')).toMatchObject({
      success: false,
      error: 'CompileError: main.go:1: no',
      result: { outcome: 'compile_error', stderr: '# cmd\nmain.go:1: no\n', stdout: '' },
    });
  });

  it('whose compiler takes too long says so', async () => {
    const { cell } = await compiling({ go: runsOn });
    const running = cell('x');
    await pass(30_000);
    expect(await running).toMatchObject({
      success: false,
      result: { outcome: 'compile_error', error: { name: 'CompileError' } },
    });
    expect((await running).error).toMatch(/^CompileError: wall_timeout The compiler was ended/);
  });

  it('is not kept when it did not compile', async () => {
    const { cell, compiled } = await compiling({ go: ends({ code: 1 }) });
    await cell('x');
    await cell('x');
    expect(compiled()).toHaveLength(2);
  });

  it('fails by its program', async () => {
    const { cell } = await compiling({ other: ends({ code: 2 }) });
    expect(await cell('x')).toMatchObject({
      success: false,
      error: 'The program ended with exit code 2',
      result: { outcome: 'nonzero_exit', error: null },
    });
  });

  it('has no place for its source on a full disk, and says so', async () => {
    const { cell, runtime } = await compiling();
    runtime.last.files.refusal = new FileRefused('No space left');
    expect(await cell('x')).toMatchObject({ success: false, error: 'No space left' });
  });

  it('takes its input', async () => {
    const { cell } = await compiling({
      other: async (_, { input, print }) => {
        await print(await input());
        return {};
      },
    });
    expect((await cell('x', { stdin: 'typed' })).result.stdout).toBe('typed');
  });
});

describe('very many results', () => {
  /** Some 4 MB in memory, though much less as a text. */
  const large = { 'application/json': Array(MB / 16).fill(0) };
  const many = (length: number) => kernel(() => ({ results: Array(length).fill(large) }));

  it('are left out beyond 16 MB, and the cell says that output was', async () => {
    const { cell } = await python({ script: many(5) });
    const { result } = await cell('x');
    expect((result.results as unknown[]).length).toBe(3);
    expect(result).toMatchObject({ outcome: 'ok', usage: { limitsHit: ['output'] } });
  });

  it('end the interpreter beyond four times that', async () => {
    const { cell } = await python({ script: many(17) });
    expect(await cell('x')).toMatchObject({ success: false, result: { outcome: 'signalled' } });
  });
});
