import { rm } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../../../src/errors.ts';
import { FileRefused, ProgramNotFound, SandboxLost } from '../../../src/sandbox.ts';
import type { ExecuteRequest } from '../../../src/schemas/execution.ts';
import { dotnet } from '../../../src/toolchains/dotnet.ts';
import { gc } from '../../../src/toolchains/go.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { openService } from '../support/open-service.ts';
import { byName, ends, prints, runsOn } from '../support/scripts.ts';

standStill();

const MB = 1024 * 1024;

/** Writes files, then ends. */
const writes =
  (files: Record<string, string | Uint8Array>, end = {}): Script =>
  async (_, { sandbox }) => {
    for (const [path, data] of Object.entries(files))
      await sandbox.files.write(`/workspace/${path}`, Buffer.from(data));
    return end;
  };

describe('a one-shot', () => {
  it('runs in a sandbox of its own, which is gone afterwards', async () => {
    const { run, runtime } = openService({ script: prints('hello') });
    expect(await run({ code: 'print()' })).toMatchObject({
      status: 'completed',
      outcome: 'ok',
      stdout: 'hello',
      exitCode: 0,
      language: 'python',
      runtimeType: 'Python',
      timeout: false,
      errorType: null,
      compile: null,
      files: [],
      missingFiles: [],
    });
    await settle();
    expect(runtime.specs[0]).toMatchObject({
      purpose: 'program',
      limits: { memoryBytes: 512 * MB, cpus: 1 },
    });
    expect(runtime.open).toEqual([]);
  });

  it('runs its file with its arguments and its environment, in /workspace', async () => {
    const { run, runtime } = openService();
    await run({ code: 'x', args: ['a b', '--'], config: { environment: { A: 'é' } } });
    expect(runtime.last.processes[0]?.spec).toMatchObject({
      argv: ['python3', '-B', '/workspace/main.py', 'a b', '--'],
      cwd: '/workspace',
      env: { A: 'é', HOME: '/home/sandbox' },
      stdin: 'none',
    });
  });

  it('finds its code and its files written', async () => {
    const seen: (string | undefined)[] = [];
    const { run } = openService({
      script: (_, { sandbox: { files } }) => {
        seen.push(files.text('/workspace/main.py'), files.text('/workspace/d/a'), files.text('/workspace/b'));
        return {};
      },
    });
    await run({
      code: 'é',
      files: [
        { path: 'd/a', content: 'text' },
        { path: 'b', content: 'Yg==', encoding: 'base64' },
      ],
    });
    expect(seen).toEqual(['é', 'text', 'b']);
  });

  it('reads its standard input', async () => {
    const { run } = openService({
      script: async (_, { input, print }) => {
        await print(await input());
        return {};
      },
    });
    expect(await run({ stdin: 'in' })).toMatchObject({ stdout: 'in' });
    expect(await run({ stdin: '' })).toMatchObject({ stdout: '' });
    expect(await run()).toMatchObject({ stdout: '' });
  });

  it('gets the memory and the share of the CPU that it asks for', async () => {
    const { run, runtime } = openService();
    await run({ config: { memoryLimit: 64, cpuLimit: 0.5 } });
    expect(runtime.specs[0]?.limits).toMatchObject({ memoryBytes: 64 * MB, cpus: 0.5 });
  });

  it.each([
    ['failed', 'nonzero_exit', 'runtime_error', { code: 1 }],
    ['failed', 'signalled', 'runtime_error', { signal: 'SIGSEGV' as const }],
  ])('is %s as %s', async (status, outcome, errorType, end) => {
    const { run } = openService({ script: ends(end) });
    expect(await run()).toMatchObject({ status, outcome, errorType, timeout: false });
  });

  it.each([
    ['thirty seconds by default', {}, {}, 30_000],
    ['its own', { timeout: 2 }, {}, 2000],
    ['no more by default than the server gives', {}, { maxTimeoutSeconds: 5 }, 5000],
  ])('has %s', async (_what, config, settings, ms) => {
    const { run } = openService({ script: runsOn, settings });
    const running = run({ config });
    await pass(ms);
    expect(await running).toMatchObject({
      status: 'timeout',
      outcome: 'wall_timeout',
      errorType: 'timeout',
      timeout: true,
      durationMs: ms,
    });
  });

  it('is ended when it has used the CPU time that it asks for', async () => {
    const { run, runtime } = openService({ script: runsOn });
    const running = run({ config: { cpuTime: 0.5 } });
    await settle();
    runtime.last.use({ cpuMs: 500 });
    await pass(50);
    expect(await running).toMatchObject({ status: 'timeout', outcome: 'cpu_timeout', durationMs: 50 });
  });

  it('keeps of its output what the server is set to', async () => {
    const { run } = openService({ script: prints('x'.repeat(20)), settings: { maxOutputBytes: 10 } });
    expect(await run()).toMatchObject({ stdout: 'x'.repeat(10), stdoutBytes: 20, truncated: true });
  });

  it('is ended when a stream is longer than the server is set to', async () => {
    const { run } = openService({ script: prints('x'.repeat(20)), settings: { maxStreamBytes: 19 } });
    expect(await run()).toMatchObject({
      status: 'failed',
      outcome: 'output_limit',
      errorType: 'output_limit',
    });
  });

  it('says when it was taken, when it began and when it was over', async () => {
    const { run, runtime } = openService({ script: runsOn });
    runtime.beforeCreate = () => new Promise(resolve => setTimeout(resolve, 1000));
    const running = run({ config: { timeout: 1 } });
    await pass(1000);
    await pass(1000);
    expect(await running).toMatchObject({
      createdAt: '2026-01-01T00:00:00.000Z',
      startedAt: '2026-01-01T00:00:01.000Z',
      completedAt: '2026-01-01T00:00:02.000Z',
    });
  });
});

describe('a one-shot that cannot run', () => {
  it.each([
    ['an interpreter that is not there', new ProgramNotFound('no python3'), 'nonzero_exit', 127],
    ['arguments that are too long', new FileRefused('Argument list too long'), 'nonzero_exit', 126],
    ['a sandbox that is lost', new SandboxLost('gone'), 'sandbox_lost', null],
    ['a sandbox without memory', new SandboxLost('gone', true), 'memory_limit', null],
    ['a bug', new TypeError('of undefined'), 'sandbox_lost', null],
  ])('because of %s says so', async (_what, refusal, outcome, exitCode) => {
    const { run, runtime } = openService();
    runtime.prepare = sandbox => {
      sandbox.refusal = refusal;
    };
    const { stderr, ...status } = await run();
    expect(status).toMatchObject({ status: 'failed', outcome, exitCode, durationMs: 0 });
    expect(stderr).toBe(
      refusal instanceof TypeError ? 'The sandbox could not be used\n' : `${refusal.message}\n`,
    );
  });

  it('because its files do not fit is a disk limit', async () => {
    const { run, runtime } = openService();
    runtime.prepare = sandbox => {
      sandbox.files.refusal = new FileRefused('No space left: /workspace/a');
    };
    expect(await run({ files: [{ path: 'a', content: '' }] })).toMatchObject({
      outcome: 'disk_limit',
      stderr: 'No space left: /workspace/a\n',
      usage: { limitsHit: ['disk'] },
    });
  });

  it('because no sandbox can be made says why', async () => {
    const { run, runtime, log } = openService();
    runtime.beforeCreate = async () => {
      throw new ServiceError('RUNTIME_UNAVAILABLE', 'Python: no sandbox could be made: no space');
    };
    expect(await run({ outputFiles: ['a', 'b?'] })).toMatchObject({
      status: 'failed',
      outcome: 'sandbox_lost',
      errorType: 'internal_error',
      stderr: 'Python: no sandbox could be made: no space\n',
      startedAt: null,
      missingFiles: ['a'],
    });
    expect(log.named('a run could not begin')).toMatchObject([
      { level: 'info', code: 'RUNTIME_UNAVAILABLE', reason: 'Python: no sandbox could be made: no space' },
    ]);
  });

  it('because of a bug keeps that from the client and logs it', async () => {
    const { run, runtime, log } = openService();
    runtime.beforeCreate = async () => {
      throw new TypeError('secret of /root');
    };
    expect(await run()).toMatchObject({ outcome: 'sandbox_lost', stderr: 'The sandbox could not be used\n' });
    expect(log.named('a run failed')).toMatchObject([
      { level: 'error', err: new TypeError('secret of /root') },
    ]);
  });

  it('leaves its place in the queue', async () => {
    const { run, runtime, service } = openService();
    runtime.prepare = sandbox => {
      sandbox.refusal = new SandboxLost('gone');
    };
    await run();
    await settle();
    expect(await service.health()).toMatchObject({ running: 0, queued: 0 });
  });
});

describe('a one-shot is refused', () => {
  const refused: [string, Partial<ExecuteRequest>, string, string][] = [
    ['a language nobody knows', { language: 'cobol' }, 'UNSUPPORTED_LANGUAGE', 'language'],
    ['too much time', { config: { timeout: 301 } }, 'VALIDATION_ERROR', 'config.timeout'],
    [
      'too much time to compile',
      { config: { compileTimeout: 301 } },
      'VALIDATION_ERROR',
      'config.compileTimeout',
    ],
    ['too much CPU time', { config: { cpuTime: 301 } }, 'VALIDATION_ERROR', 'config.cpuTime'],
    ['too much memory', { config: { memoryLimit: 2049 } }, 'VALIDATION_ERROR', 'config.memoryLimit'],
    ['a network', { config: { disableNetwork: false } }, 'NOT_SUPPORTED', 'config.disableNetwork'],
    ['packages', { config: { packages: ['a'] } }, 'NOT_SUPPORTED', 'config.packages'],
    [
      'a writable root',
      { config: { readOnlyFilesystem: false } },
      'NOT_SUPPORTED',
      'config.readOnlyFilesystem',
    ],
    ['an image', { dockerImage: 'a' }, 'NOT_SUPPORTED', 'dockerImage'],
    [
      'a file outside of /workspace',
      { files: [{ path: '../a', content: '' }] },
      'VALIDATION_ERROR',
      'files[0].path',
    ],
    [
      'a file that is not base64',
      { files: [{ path: 'a', content: '!', encoding: 'base64' }] },
      'VALIDATION_ERROR',
      'files[0].content',
    ],
    [
      'a file in the place of its code',
      { files: [{ path: './main.py', content: '' }] },
      'VALIDATION_ERROR',
      'files[0].path',
    ],
    [
      'a file below another',
      {
        files: [
          { path: 'a/b', content: '' },
          { path: 'a', content: '' },
        ],
      },
      'VALIDATION_ERROR',
      'files[0].path',
    ],
    [
      'a file below its code',
      { files: [{ path: 'main.py/a', content: '' }] },
      'VALIDATION_ERROR',
      'files[0].path',
    ],
    [
      'an output outside of /workspace',
      { outputFiles: ['a', '/etc/passwd'] },
      'VALIDATION_ERROR',
      'outputFiles[1]',
    ],
    ['an output without a name', { outputFiles: ['?'] }, 'VALIDATION_ERROR', 'outputFiles[0]'],
  ];
  it.each(refused)('that asks for %s, naming the field', async (_what, request, code, field) => {
    const { start, runtime, service } = openService();
    await expect(start(request)).rejects.toMatchObject({ code, field });
    expect(runtime.specs).toEqual([]);
    expect((await service.health()).running).toBe(0);
  });

  it('but may have two files in one directory, and one beside another that its name begins with', async () => {
    const { run } = openService();
    const files = ['a/b', 'a/c', 'a.b', 'main.pyc'].map(path => ({ path, content: '' }));
    expect(await run({ files })).toMatchObject({ outcome: 'ok' });
  });
});

describe('output files', () => {
  it('come back as text, or as base64 where they are not UTF-8', async () => {
    const { run } = openService({ script: writes({ 'd/a': 'é', b: Uint8Array.of(255) }) });
    expect((await run({ outputFiles: ['d/a', 'b'] })).files).toEqual([
      { path: 'd/a', content: 'é', encoding: 'utf8' },
      { path: 'b', content: '/w==', encoding: 'base64' },
    ]);
  });

  it('that are missing are named, unless they may be', async () => {
    const { run } = openService({ script: writes({ a: '' }) });
    expect(await run({ outputFiles: ['a?', 'b', 'c?'] })).toMatchObject({
      files: [{ path: 'a', content: '' }],
      missingFiles: ['b'],
    });
  });

  it('that are directories are missing', async () => {
    const { run } = openService({ script: writes({ 'd/a': '' }) });
    expect(await run({ outputFiles: ['d'] })).toMatchObject({ files: [], missingFiles: ['d'] });
  });

  it('are read after a program that fails, too', async () => {
    const { run } = openService({ script: writes({ a: 'x' }, { code: 1 }) });
    expect(await run({ outputFiles: ['a'] })).toMatchObject({ status: 'failed', files: [{ content: 'x' }] });
  });

  it('are read after what the program left running is ended', async () => {
    const { run, runtime } = openService({ script: ends() });
    await run({ outputFiles: ['a'] });
    expect(runtime.last.processes[0]?.kills).toEqual([{}]);
  });

  it('that do not fit with those before them are links', async () => {
    const { run, store } = openService({
      script: (_, { sandbox: { files } }) => {
        for (const [name, size] of Object.entries({ a: 1, b: 32 * MB, c: 2 }))
          files.contents.set(`/workspace/${name}`, Buffer.alloc(size));
        return {};
      },
    });
    const { files, missingFiles, usage } = await run({ outputFiles: ['a', 'b', 'c'] });
    await rm(store.files.directory, { recursive: true });
    expect(files).toMatchObject([{ content: 'AA==' }, { path: 'b', size: 32 * MB }, { content: 'AAA=' }]);
    expect([missingFiles, usage?.limitsHit]).toEqual([[], []]);
  });

  it('of a sandbox that is lost are missing', async () => {
    const { run } = openService({
      script: (spec, program) => {
        program.sandbox.lose();
        return runsOn(spec, program);
      },
    });
    expect(await run({ outputFiles: ['a'] })).toMatchObject({ outcome: 'sandbox_lost', missingFiles: ['a'] });
  });

  it('that cannot be read in ten seconds are missing, all that come after too', async () => {
    const { run, runtime } = openService({ script: writes({ a: '', b: '' }) });
    let reads = 0;
    runtime.prepare = ({ files }) => {
      files.beforeRead = () => {
        reads++;
        return new Promise(() => {});
      };
    };
    const running = run({ outputFiles: ['a', 'b', 'c?'] });
    await pass(10_000);
    expect(await running).toMatchObject({ outcome: 'ok', missingFiles: ['a', 'b'] });
    expect(reads).toBe(1);
  });

  it('are read for two runs at once, and the others wait', async () => {
    const room = Promise.withResolvers<void>();
    const { run, runtime } = openService({ script: writes({ a: 'x' }) });
    let reading = 0;
    runtime.prepare = ({ files }) => {
      files.beforeRead = () => {
        reading++;
        return room.promise;
      };
    };
    const owners = ['a', 'b', 'c'];
    const running = owners.map(owner => run({ outputFiles: ['a'] }, { owner, client: owner }));
    await settle();
    expect(reading).toBe(2);
    room.resolve();
    expect((await Promise.all(running)).map(({ files }) => files.length)).toEqual([1, 1, 1]);
  });
});

describe('a one-shot that is compiled', () => {
  const open = (table: Parameters<typeof byName>[0], toolchain = gc) =>
    openService({
      type: toolchain === gc ? 'Go' : 'Docker',
      toolchains: [toolchain],
      script: byName({ go: ends(), other: prints('ran'), ...table }),
    });

  it('is compiled, then run', async () => {
    const { run, runtime } = open({});
    expect(await run({ language: 'go', args: ['x'] })).toMatchObject({
      outcome: 'ok',
      stdout: 'ran',
      compile: { outcome: 'ok', exitCode: 0, stdout: '', stderr: '' },
    });
    const [compile, program] = runtime.last.processes.map(({ spec }) => spec);
    const output = program?.argv[0];
    expect(compile?.argv).toContain(output);
    expect(program?.argv).toEqual([output, 'x']);
  });

  it('is compiled from the sources that lie beside it', async () => {
    const { run, runtime } = open({});
    const files = ['a.go', 'a_test.go', 'd/b.go', 'data.txt'].map(path => ({ path, content: '' }));
    await run({ language: 'go', files });
    const argv = runtime.last.processes[0]!.spec.argv;
    expect(argv.slice(argv.indexOf('-o') + 2)).toEqual(['/workspace/main.go', '/workspace/a.go']);
  });

  it('that does not compile says what the compiler does', async () => {
    const { run, runtime } = open({ go: prints('main.go:1: no\n', { code: 1 }, 'stderr') });
    expect(await run({ language: 'go', outputFiles: ['a'] })).toMatchObject({
      status: 'failed',
      outcome: 'compile_error',
      errorType: 'compilation_error',
      exitCode: 1,
      stdout: '',
      stderr: 'main.go:1: no\n',
      durationMs: 0,
      compile: { outcome: 'nonzero_exit', exitCode: 1, stderr: 'main.go:1: no\n' },
      missingFiles: ['a'],
    });
    expect(runtime.last.processes).toHaveLength(1);
  });

  it.each([
    ['its own time', { compileTimeout: 2 }, 2000],
    ['thirty seconds', {}, 30_000],
  ])('whose compiler takes longer than %s does not compile', async (_what, config, ms) => {
    const { run } = open({ go: runsOn });
    const running = run({ language: 'go', config });
    await pass(ms);
    expect(await running).toMatchObject({
      status: 'failed',
      outcome: 'compile_error',
      stderr: 'The compiler was ended: Time limit exceeded (wall_timeout)\n',
      compile: { outcome: 'wall_timeout', durationMs: ms },
    });
  });

  it('is not given less time to run for the time that it took to compile', async () => {
    const slow: Script = () => new Promise(resolve => setTimeout(resolve, 5000, {}));
    const { run } = open({ go: slow, other: slow });
    const running = run({ language: 'go', config: { timeout: 6 } });
    await pass(5000);
    await pass(5000);
    expect(await running).toMatchObject({ outcome: 'ok', durationMs: 5000, compile: { durationMs: 5000 } });
  });

  it('gives no compiler’s output as the program’s', async () => {
    const { run } = open({ go: prints('warning', {}, 'stderr') });
    expect(await run({ language: 'go' })).toMatchObject({ stderr: '', compile: { stderr: 'warning' } });
  });

  it('whose compiler is not there says so, as a shell would', async () => {
    const { run, runtime } = open({});
    runtime.prepare = sandbox => {
      sandbox.refusal = new ProgramNotFound('Program not found: go');
    };
    expect(await run({ language: 'go' })).toMatchObject({
      outcome: 'nonzero_exit',
      exitCode: 127,
      compile: null,
    });
  });

  it('and is cancelled meanwhile is cancelled, and no compile error', async () => {
    const { start, service, call } = open({ go: runsOn });
    const id = await start({ language: 'go' });
    await settle();
    expect(await service.executions.cancel(id, call())).toMatchObject({
      status: 'cancelled',
      outcome: 'cancelled',
      compile: { outcome: 'cancelled' },
    });
  });

  it('by the .NET SDK names its output first', async () => {
    const { run, runtime } = open({ 'compile-csharp': ends(), 'run-csharp': prints('ran') }, dotnet);
    expect(await run({ language: 'c#' })).toMatchObject({ stdout: 'ran' });
    const [compile, program] = runtime.last.processes.map(({ spec }) => spec.argv);
    expect(compile).toEqual(['compile-csharp', program?.[1], '/workspace/Program.cs']);
  });
});
