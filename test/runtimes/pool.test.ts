import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findLanguage } from '../../src/languages/index.ts';
import { BASE_ENV } from '../../src/runtimes/base-env.ts';
import { DEFAULT_LIMITS, limitsFor } from '../../src/runtimes/default-limits.ts';
import type { Runtimes } from '../../src/runtimes/index.ts';
import type { PooledRuntime } from '../../src/runtimes/pool/pooled-runtime.ts';
import { type Sandbox, WORKSPACE } from '../../src/sandbox.ts';
import type { RuntimeType } from '../../src/schemas/session.ts';
import { NO_PERMISSIONS } from '../../src/toolchains/toolchain.ts';
import { processesOf, specFor, startRuntimes } from './local/support.ts';

/** What waits warm behaves exactly as what is started by hand, in real sandboxes. */
const [COLD, WARM] = [1, 2].map(() => `test${randomBytes(5).toString('hex')}`) as [string, string];
const LIMITS = DEFAULT_LIMITS;
/** Kinds of requests that something waits for. */
const SHELVES: Partial<Record<RuntimeType, number>> = { Python: 2, Bun: 3 };

/** Programs that show all they can see of how they were started. */
const TELLTALE: Record<string, string> = {
  python: `
import os, sys, inspect
print(sys.argv, __name__, __file__, __spec__, __doc__, sorted(k for k in globals() if not k.startswith('__')))
print(sys.path, sys.flags, sys.orig_argv, sys.executable)
print(sorted(os.environ.items()), os.getcwd(), sorted(os.listdir('/proc/self/fd')), os.listdir('.'))
print(len(inspect.stack()), sys.getrecursionlimit(), sys.stdin.read(), sys.stdout.isatty(), os.getppid())
sys.exit(3)`,
  javascript: `
const fs = require('node:fs');
console.log(process.argv, process.execArgv, require.main === module, __filename, process.cwd());
console.log(Object.entries(process.env).sort(), fs.readdirSync('.'), process.ppid);
console.log(fs.readFileSync(0, 'utf8'), new Error('here').stack);
process.exit(3);`,
  typescript: `
enum Kind { A = 1 }
console.log(process.argv, import.meta.main, import.meta.path, Kind.A, JSON.stringify(Object.keys(process.env).sort()));
console.log(await Bun.stdin.text());
throw new TypeError('no');`,
};

let cold: Runtimes;
let warm: Runtimes;
beforeAll(async () => {
  cold = await startRuntimes({ instance: COLD, runtimes: ['Python', 'Bun'], poolSize: 0 });
  warm = await startRuntimes({ instance: WARM, runtimes: ['Python', 'Bun'], poolSize: 1 });
});
afterAll(async () => {
  await cold?.[Symbol.asyncDispose]();
  await warm?.[Symbol.asyncDispose]();
});

const runtimeOf = (runtimes: Runtimes, type: RuntimeType) =>
  runtimes.all.find(runtime => runtime.type === type) as PooledRuntime;

describe.for([
  ['python', 'Python'],
  ['javascript', 'Bun'],
  ['typescript', 'Bun'],
] as [string, RuntimeType][])('a program in %s', ([name, type]) => {
  const { language } = findLanguage(name)!;
  const file = `${WORKSPACE}/${language.fileName}`;
  const open = async (runtimes: Runtimes, limits = LIMITS): Promise<Sandbox> => {
    const runtime = runtimeOf(runtimes, type);
    if (runtimes === warm) await vi.waitFor(() => expect(runtime.waiting).toBe(SHELVES[type]), 60_000);
    return runtime.create(specFor(runtime, name, 'program', limits));
  };
  const run = async (sandbox: Sandbox, code: string, args: string[] = [], env = {}, stdin = 'in') => {
    await sandbox.files.write(file, Buffer.from(code));
    const argv = [
      ...specFor(runtimeOf(cold, type), name, 'program').toolchain.run(file, NO_PERMISSIONS),
      ...args,
    ];
    const environment = { ...BASE_ENV, ...sandbox.environment, ...env };
    const process = await sandbox.spawn({ argv, cwd: WORKSPACE, env: environment, stdin: 'pipe' });
    void process.write(Buffer.from(stdin)).then(() => process.endInput());
    const said = { stdout: '', stderr: '' };
    for await (const event of process.events) {
      if (event.type === 'output') said[event.stream] += Buffer.from(event.data).toString();
      if (event.type === 'exit') return { ...said, code: event.code, signal: event.signal };
    }
    throw new Error('no exit');
  };
  const both = async (...call: [string, string[]?, object?, string?]) => {
    const ends = [];
    for (const runtimes of [cold, warm]) {
      const sandbox = await open(runtimes);
      ends.push(await run(sandbox, ...call).finally(() => sandbox.close()));
    }
    return ends;
  };

  test('sees the same, warm or cold', async () => {
    const [byHand, taken] = await both(TELLTALE[name]!, ['a b', '', '--', '-v', 'é\n'], {
      OWN: 'ü="x"',
      HOME: '/tmp',
    });
    expect(taken).toEqual(byHand);
    expect(byHand?.stdout).toContain('a b');
    expect(byHand?.code).toBe(name === 'typescript' ? 1 : 3);
  });

  test('is started afresh where its environment is read at the start', async () => {
    const [byHand, taken] = await both(TELLTALE[name]!, [], {
      TZ: 'Asia/Tokyo',
      LANG: 'C',
      PYTHONPATH: '/tmp',
    });
    expect(taken).toEqual(byHand);
  });

  test('has the limits that were asked for, its disk included', async () => {
    const sandbox = await open(warm, limitsFor({ memoryMB: 128, cpus: 1 }));
    try {
      const process = await sandbox.spawn({
        argv: ['sh', '-c', 'df -Pk /workspace | tail -1'],
        cwd: WORKSPACE,
        env: BASE_ENV,
        stdin: 'none',
      });
      let said = '';
      for await (const event of process.events) if (event.type === 'output') said += Buffer.from(event.data);
      expect(Number(said.split(/ +/)[1]) >> 10).toBe(64);
    } finally {
      await sandbox.close();
    }
  });
});

test('a burst that is larger than what waits is served all the same', async () => {
  const runtime = runtimeOf(warm, 'Python');
  const spec = specFor(runtime, 'python', 'session', LIMITS);
  const sandboxes = await Promise.all(Array.from({ length: 6 }, () => runtime.create(spec)));
  expect(new Set(sandboxes.map(({ id }) => id)).size).toBe(6);
  await Promise.all(sandboxes.map(sandbox => sandbox.close()));
});

test('what died while it waited is not handed out', async () => {
  const runtime = runtimeOf(warm, 'Python');
  await vi.waitFor(() => expect(runtime.waiting).toBe(SHELVES.Python), 60_000);
  for (const { pid } of processesOf(WARM)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It went with its agent.
    }
  }
  await vi.waitFor(() => expect(runtime.waiting).toBe(0), 60_000);
  const spec = specFor(runtime, 'python', 'program', LIMITS);
  const sandbox = await runtime.create(spec);
  const echo = await sandbox.spawn({
    argv: ['echo', 'alive'],
    cwd: WORKSPACE,
    env: BASE_ENV,
    stdin: 'none',
  });
  for await (const event of echo.events) if (event.type === 'exit') expect(event.code).toBe(0);
  await sandbox.close();
});
