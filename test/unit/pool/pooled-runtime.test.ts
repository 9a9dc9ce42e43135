import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { BASE_ENV } from '../../../src/runtimes/base-env.ts';
import { DEFAULT_LIMITS, limitsFor } from '../../../src/runtimes/default-limits.ts';
import { NoSandbox } from '../../../src/runtimes/no-sandbox.ts';
import { PooledRuntime } from '../../../src/runtimes/pool/pooled-runtime.ts';
import type { SandboxSpec } from '../../../src/runtimes/runtime.ts';
import type { SpawnSpec } from '../../../src/sandbox.ts';
import { bun } from '../../../src/toolchains/bun.ts';
import { cpython } from '../../../src/toolchains/cpython.ts';
import { deno } from '../../../src/toolchains/deno.ts';
import { gc } from '../../../src/toolchains/go.ts';
import { node } from '../../../src/toolchains/node.ts';
import { NO_PERMISSIONS } from '../../../src/toolchains/toolchain.ts';
import { pass, settle, standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { languageNamed, MemoryRuntime, type MemoryRuntimeOptions } from '../support/memory-runtime.ts';
import { ends, kernel, runsOn } from '../support/scripts.ts';

standStill();

const FILE = '/workspace/main.py';
const RETRY_MS = 10_000;
const SHRINK_MS = 30_000;

/** A kernel that answers cells, and a program that waits for its release and says what it was released with. */
const waits: Script = (spec, program) => {
  if (spec.argv.some(word => word.includes('kernel'))) return kernel(() => undefined)(spec, program);
  return (async () => {
    if (!spec.control) return {};
    program.control({ ready: true });
    for await (const release of program.requests()) {
      await program.print(JSON.stringify(release));
      break;
    }
    await program.print(await program.input());
    return {};
  })();
};

function pooled(size: number | null = 1, options: MemoryRuntimeOptions = {}) {
  const inner = new MemoryRuntime({ script: waits, ...options });
  const told: { runtime: string; pooled: boolean; seconds: number }[] = [];
  const failed: { runtime: string; shortage: string }[] = [];
  const runtime = new PooledRuntime(inner, size, {
    onSandbox: each => told.push(each),
    onFailedStart: each => failed.push(each),
  });
  return { inner, runtime, told, failed, waited: () => told.map(each => each.pooled) };
}

const spec = (more: Partial<SandboxSpec> = {}): SandboxSpec => ({
  language: languageNamed('python'),
  toolchain: cpython,
  purpose: 'session',
  limits: DEFAULT_LIMITS,
  request: {},
  egress: null,
  layers: [],
  ...more,
});
const program = (more: Partial<SpawnSpec> = {}): SpawnSpec => ({
  argv: cpython.run(FILE, NO_PERMISSIONS),
  cwd: '/workspace',
  env: BASE_ENV,
  stdin: 'none',
  ...more,
});
const theKernel = (more: Partial<SpawnSpec> = {}): SpawnSpec => ({
  argv: cpython.kernel!.argv(NO_PERMISSIONS),
  cwd: '/workspace',
  env: BASE_ENV,
  stdin: 'none',
  control: true,
  ...more,
});

/** Asks once, so that from now on one waits. */
async function filled(size: number | null = 1, options: MemoryRuntimeOptions = {}, asked = spec()) {
  const all = pooled(size, options);
  await (await all.runtime.create(asked)).close();
  await pass(1000);
  return all;
}

describe('a pool', () => {
  it('has nothing waiting before anybody has asked', async () => {
    const { runtime, inner } = pooled();
    await pass(1000);
    expect([runtime.waiting, inner.sandboxes.length]).toEqual([0, 0]);
  });

  it('serves the first as if nothing waited, and the next from what waits', async () => {
    const { runtime, waited } = await filled();
    expect(runtime.waiting).toBe(1);
    await runtime.create(spec());
    expect(waited()).toEqual([false, true]);
  });

  it('gives what waits to one only', async () => {
    const { runtime, waited } = await filled();
    const [one, other] = await Promise.all([runtime.create(spec()), runtime.create(spec())]);
    expect(one.id).not.toBe(other.id);
    expect(waited()).toEqual([false, true, false]);
  });

  it('makes another for one that was taken', async () => {
    const { runtime, waited } = await filled();
    await runtime.create(spec());
    await pass(1000);
    expect(runtime.waiting).toBe(1);
    await runtime.create(spec());
    expect(waited()).toEqual([false, true, true]);
  });

  it('makes another no sooner than the reply is out', async () => {
    const { runtime, inner } = await filled();
    const before = inner.sandboxes.length;
    await runtime.create(spec());
    await pass(1);
    expect(inner.sandboxes).toHaveLength(before);
    await pass(1);
    expect(inner.sandboxes).toHaveLength(before + 1);
  });

  it('makes another as soon as one that was taken is given back', async () => {
    const { runtime, inner } = await filled(1, {}, spec({ purpose: 'program' }));
    const before = inner.sandboxes.length;
    const taken = await runtime.create(spec({ purpose: 'program' }));
    await taken.close();
    await settle();
    expect(inner.sandboxes).toHaveLength(before + 1);
  });

  it('of size 0 has nothing waiting', async () => {
    const { runtime, waited } = await filled(0);
    await runtime.create(spec());
    expect([waited(), runtime.waiting]).toEqual([[false, false], 0]);
  });

  it('of a fixed size has that many waiting', async () => {
    const { runtime } = await filled(3);
    expect(runtime.waiting).toBe(3);
    await pass(10 * SHRINK_MS);
    expect(runtime.waiting).toBe(3);
  });

  it('says how long a sandbox took', async () => {
    const { runtime, told, inner } = pooled();
    inner.beforeCreate = () => new Promise(resolve => setTimeout(resolve, 250));
    const creating = runtime.create(spec());
    await pass(250);
    await creating;
    expect(told).toEqual([{ runtime: 'Python', pooled: false, seconds: 0.25 }]);
  });
});

describe('a pool that adapts', () => {
  it('grows with each taking that empties it, up to its most', async () => {
    const { runtime } = await filled(null);
    const most = 4 * availableParallelism();
    for (let i = 0; i < most + 5; i++) {
      const taking = Array.from({ length: runtime.waiting || 1 }, () => runtime.create(spec()));
      await Promise.all(taking);
      await pass(1000);
    }
    expect(runtime.waiting).toBe(most);
  });

  it('shrinks by one in every quiet half minute, down to one where interpreters are small', async () => {
    const { runtime, inner } = await filled(null);
    await Promise.all([runtime.create(spec()), runtime.create(spec())]);
    await pass(1000);
    const before = runtime.waiting;
    expect(before).toBeGreaterThan(1);
    await pass(SHRINK_MS);
    await pass(SHRINK_MS);
    expect(runtime.waiting).toBe(before - 1);
    await pass(20 * SHRINK_MS);
    expect(runtime.waiting).toBe(1);
    expect(inner.open.length).toBe(runtime.waiting + 2);
  });

  it('shrinks to nothing where interpreters are large', async () => {
    const state = { available: true, version: '1', startupMs: 10, memoryMB: 17 } as const;
    const { runtime } = await filled(null, { state });
    expect(runtime.waiting).toBe(1);
    await pass(20 * SHRINK_MS);
    expect(runtime.waiting).toBe(0);
  });

  it('is filled beforehand for every language where interpreters are small', async () => {
    const { runtime, inner } = pooled(null);
    runtime.fill();
    await pass(1000);
    expect(runtime.waiting).toBe(2);
    expect(inner.specs.map(({ purpose }) => purpose).sort()).toEqual(['program', 'session']);
  });

  it.each([
    ['that are large', { state: { available: true, version: '1', startupMs: 1, memoryMB: 17 } as const }],
    ['that cannot be resized', { capabilities: { resize: false } }],
    [
      'of a runtime that is unavailable',
      { state: { available: false, reason: '', remedy: null, version: null } as const },
    ],
  ])('is not filled beforehand with sandboxes %s', async (_what, options) => {
    const { runtime } = pooled(null, options);
    runtime.fill();
    await pass(1000);
    expect(runtime.waiting).toBe(0);
  });

  it('is filled when its runtime becomes available', async () => {
    const { runtime, inner } = pooled(null, {
      state: { available: false, reason: '', remedy: null, version: null },
    });
    runtime.fill();
    inner.state = { available: true, version: '1', startupMs: 1, memoryMB: 1 };
    await runtime.probe();
    await pass(1000);
    expect(runtime.waiting).toBe(2);
  });
});

describe('a pool that adapts to sandboxes that cannot be resized', () => {
  const odd = spec({ limits: limitsFor({ memoryMB: 64, cpus: 1 }) });
  const usual = () => filled(null, { capabilities: { resize: false } });

  it('has one waiting for the usual size from the first request on', async () => {
    expect((await usual()).runtime.waiting).toBe(1);
  });

  it('has none made for a size that is asked for once, and one from the second time on', async () => {
    const { runtime, inner, waited } = await usual();
    await runtime.create(odd);
    await pass(SHRINK_MS - 2000);
    expect(inner.specs.filter(({ limits }) => limits.memoryBytes >> 20 === 64)).toHaveLength(1);
    await runtime.create(odd);
    await pass(1000);
    await runtime.create(odd);
    expect(waited()).toEqual([false, false, false, true]);
  });

  it('takes it for the first time again after half a minute without it', async () => {
    const { runtime, inner, waited } = await usual();
    for (let i = 0; i < 2; i++) {
      await runtime.create(odd);
      await pass(2 * SHRINK_MS);
    }
    expect(inner.specs.filter(({ limits }) => limits.memoryBytes >> 20 === 64)).toHaveLength(2);
    expect(waited()).toEqual([false, false, false]);
  });

  it('grows only for who finds none waiting', async () => {
    const { runtime } = await usual();
    for (let i = 0; i < 3; i++) {
      await runtime.create(spec());
      await pass(1000);
    }
    expect(runtime.waiting).toBe(1);
    await Promise.all([runtime.create(spec()), runtime.create(spec())]);
    await pass(1000);
    expect(runtime.waiting).toBe(2);
  });

  it('removes what nobody has asked for again', async () => {
    const { runtime } = await usual();
    await runtime.create(odd);
    await runtime.create(odd);
    await pass(1000);
    expect(runtime.waiting).toBe(2);
    await pass(4 * SHRINK_MS);
    expect(runtime.waiting).toBe(0);
  });
});

describe('what waits serves', () => {
  it('a request for other limits, which it is given', async () => {
    const { runtime, inner, waited } = await filled();
    const limits = limitsFor({ memoryMB: 64, cpus: 2 });
    const sandbox = await runtime.create(spec({ limits }));
    expect(waited()).toEqual([false, true]);
    expect(inner.sandboxes.find(({ id }) => id === sandbox.id)?.limits).toEqual(limits);
  });

  it('a session of another language whose interpreter is the same', async () => {
    const of = (name: string) => spec({ toolchain: bun, language: languageNamed(name) });
    const { runtime, waited } = await filled(1, { type: 'Bun', toolchains: [bun] }, of('javascript'));
    await runtime.create(of('typescript'));
    expect(waited()).toEqual([false, true]);
  });

  it.each([
    ['another purpose', { purpose: 'program' as const }],
    ['an image', { request: { dockerImage: 'a' } }],
    ['permissions', { request: { permissions: {} } }],
    ['a writable root', { request: { readOnlyFilesystem: false } }],
    ['another toolchain', { toolchain: bun, language: languageNamed('javascript') }],
  ])('no request for %s', async (_what, more) => {
    const { runtime, waited } = await filled();
    await runtime.create(spec(more));
    expect(waited()).toEqual([false, false]);
  });

  it('no request for another memory where that cannot be changed', async () => {
    const { runtime, waited, inner } = await filled(1, { capabilities: { resize: false } });
    await runtime.create(spec({ limits: limitsFor({ memoryMB: 64, cpus: 1 }) }));
    await pass(1000);
    await runtime.create(spec({ limits: limitsFor({ memoryMB: 64, cpus: 1 }) }));
    expect(waited()).toEqual([false, false, true]);
    expect(inner.specs.map(({ limits }) => limits.memoryBytes >> 20)).toContain(64);
  });

  it('and is as good as spent when it refuses other limits', async () => {
    const { runtime, inner, waited } = await filled();
    const waiting = inner.last;
    waiting.obeys = false;
    const sandbox = await runtime.create(spec());
    await settle();
    expect(sandbox.id).not.toBe(waiting.id);
    expect([waited(), waiting.closed]).toEqual([[false, false], true]);
  });

  it('compiled programs by a sandbox alone', async () => {
    const go = spec({ toolchain: gc, language: languageNamed('go'), purpose: 'program' });
    const { runtime, inner, waited } = await filled(1, { type: 'Go', toolchains: [gc] }, go);
    expect(inner.last.processes).toEqual([]);
    await runtime.create(go);
    expect(waited()).toEqual([false, true]);
  });
});

describe('what is lost while it waits', () => {
  it('is not handed out, and another is made after a while', async () => {
    const { runtime, inner, waited } = await filled();
    inner.last.lose();
    await settle();
    expect(runtime.waiting).toBe(0);
    await pass(RETRY_MS);
    expect(runtime.waiting).toBe(1);
    await runtime.create(spec());
    expect(waited()).toEqual([false, true]);
  });

  it('is not what is handed out in its place', async () => {
    const { runtime, inner } = await filled(2);
    const [lost, kept] = inner.open.slice(-2);
    lost?.lose();
    await settle();
    expect((await runtime.create(spec())).id).toBe(kept?.id);
  });
});

describe('a sandbox that cannot be made', () => {
  it('beforehand is tried again after ten seconds', async () => {
    const { runtime, inner } = pooled();
    await runtime.create(spec());
    inner.beforeCreate = async () => {
      throw new Error('no');
    };
    await pass(1000);
    inner.beforeCreate = async () => {};
    await pass(8000);
    expect(runtime.waiting).toBe(0);
    await pass(3000);
    expect(runtime.waiting).toBe(1);
  });

  it('ready beforehand is closed', async () => {
    const { runtime, inner } = pooled();
    await runtime.create(spec());
    const refusal = new Error('no');
    inner.prepare = sandbox => {
      sandbox.refusal = refusal;
    };
    await pass(1000);
    expect(inner.last.refusal).toBe(refusal);
    expect(inner.last.closed).toBe(true);
    expect(runtime.waiting).toBe(0);
  });

  it('for somebody says why, and is counted as each that fails for nobody is', async () => {
    const { runtime, inner, failed } = pooled();
    inner.beforeCreate = async () => {
      throw new NoSandbox('Python', new Error('no room'));
    };
    await expect(runtime.create(spec())).rejects.toThrow('no room');
    await pass(1000);
    expect(failed).toEqual([
      { runtime: 'Python', shortage: 'other' },
      { runtime: 'Python', shortage: 'other' },
    ]);
  });

  it('whose interpreter does not come to wait in twenty seconds is given up', async () => {
    const { runtime, inner } = pooled(1, { script: runsOn });
    await runtime.create(spec());
    await pass(1000);
    expect(inner.last.closed).toBe(false);
    await pass(20_000);
    expect(runtime.waiting).toBe(0);
    expect(inner.sandboxes[1]?.closed).toBe(true);
  });

  it('with its interpreter is kept without one', async () => {
    const { runtime, inner, waited } = await filled(1, { script: ends({ code: 1 }) });
    expect(runtime.waiting).toBe(1);
    const sandbox = await runtime.create(spec());
    await sandbox.spawn(theKernel());
    expect(waited()).toEqual([false, true]);
    expect(inner.sandboxes[1]?.processes).toHaveLength(2);
  });
});

describe('closing a pool', () => {
  it('closes what waits and its runtime, and makes no more', async () => {
    const { runtime, inner } = await filled(3);
    await runtime.close();
    expect([runtime.waiting, inner.open, inner.closed]).toEqual([0, [], true]);
    await pass(10 * RETRY_MS);
    expect(inner.open).toEqual([]);
  });

  it('waits for the one that is being made, and closes it', async () => {
    const { runtime, inner } = pooled();
    await runtime.create(spec());
    const made = Promise.withResolvers<void>();
    inner.beforeCreate = () => made.promise;
    await pass(1000);
    let closed = false;
    const closing = runtime.close().then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    made.resolve();
    await closing;
    expect(inner.open).toHaveLength(1);
  });

  it('is done though one that waits does not close', async () => {
    const { runtime, inner } = await filled(2);
    inner.last.beforeClose = async () => {
      throw new Error('stuck');
    };
    await runtime.close();
    expect(inner.closed).toBe(true);
  });
});

describe('an interpreter that waits', () => {
  /** A sandbox from a pool, and what runs in it. */
  async function taken(purpose: SandboxSpec['purpose'], options: MemoryRuntimeOptions = {}) {
    const { runtime, inner } = await filled(1, options, spec({ purpose }));
    const before = inner.last;
    const sandbox = await runtime.create(spec({ purpose }));
    return { sandbox, processes: before.processes, inner };
  }

  const said = async (
    process: Awaited<ReturnType<Awaited<ReturnType<typeof taken>>['sandbox']['spawn']>>,
  ) => {
    let text = '';
    for await (const event of process.events) {
      if (event.type === 'output') text += Buffer.from(event.data).toString();
      if (event.type === 'exit') return { text, code: event.code };
    }
    throw new Error('no exit');
  };

  it('is handed over to who starts the same, who finds it ready', async () => {
    const { sandbox, processes } = await taken('session');
    const process = await sandbox.spawn(theKernel());
    expect(processes).toHaveLength(1);
    const { value } = await process.events[Symbol.asyncIterator]().next();
    expect(Buffer.from((value as { data: Uint8Array }).data).toString()).toBe('{"ready":true}\n');
  });

  it('has been started with its toolchain’s own variables', async () => {
    for (const toolchain of [bun, cpython, deno, node]) {
      const asked = spec({ purpose: 'program', toolchain });
      const { runtime, inner } = await filled(1, {}, asked);
      const before = inner.last;
      const sandbox = await runtime.create(asked);
      const argv = toolchain.run(FILE, NO_PERMISSIONS);
      await sandbox.spawn(program({ argv, env: { ...BASE_ENV, ...toolchain.environment } }));
      expect(before.processes, toolchain.name).toHaveLength(1);
    }
  });

  it('has run one cell, which nobody sees', async () => {
    const { processes } = await taken('session');
    expect(processes[0]?.told).toEqual([
      { cell: 0, code: 'print(end="")', stdin: '/dev/null', typescript: false },
    ]);
  });

  it('is handed over once', async () => {
    const { sandbox, processes } = await taken('session');
    await sandbox.spawn(theKernel());
    await sandbox.spawn(theKernel());
    expect(processes).toHaveLength(2);
  });

  it('is not handed over when it was ended meanwhile', async () => {
    const { sandbox, processes } = await taken('session');
    processes[0]?.kill();
    await settle();
    await sandbox.spawn(theKernel());
    expect(processes).toHaveLength(2);
  });

  it('is told of variables that it was not started with', async () => {
    const { sandbox, processes } = await taken('session');
    await sandbox.spawn(theKernel({ env: { ...BASE_ENV, OWN: 'x' } }));
    expect(processes[0]?.told.at(-1)).toEqual({ environment: { OWN: 'x' } });
  });

  it('is released with its program’s arguments and variables, and its input is ended', async () => {
    const { sandbox, processes } = await taken('program');
    const process = await sandbox.spawn(
      program({ argv: [...cpython.run(FILE, NO_PERMISSIONS), 'a b', '-v'], env: { ...BASE_ENV, OWN: 'x' } }),
    );
    expect(await said(process)).toEqual({
      text: '{"args":["a b","-v"],"environment":{"OWN":"x"},"whole":false}',
      code: 0,
    });
    expect(processes).toHaveLength(1);
  });

  it('is fed as its program would be', async () => {
    const { sandbox } = await taken('program');
    const process = await sandbox.spawn(program({ stdin: 'pipe' }));
    await process.write(Buffer.from('typed'));
    process.endInput();
    expect((await said(process)).text).toBe('{"args":[],"environment":{},"whole":false}typed');
  });

  it('is given a whole input before it is released', async () => {
    const { sandbox } = await taken('program');
    const process = await sandbox.spawn(program({ stdin: Buffer.from('given') }));
    expect((await said(process)).text).toBe('{"args":[],"environment":{},"whole":true}given');
  });

  it.each([
    ['another program', { argv: ['python3', '/workspace/other.py'] }],
    ['another directory', { cwd: '/workspace/a' }],
    ['a descriptor to speak on', { control: true }],
    ['a variable that is read at the start', { env: { ...BASE_ENV, PYTHONPATH: '/tmp' } }],
    ['another time zone', { env: { ...BASE_ENV, TZ: 'Asia/Tokyo' } }],
    ['fewer variables', { env: { PATH: '/bin' } }],
    ['a very long argument', { argv: [...cpython.run(FILE, NO_PERMISSIONS), 'x'.repeat(4096)] }],
    ['very many arguments', { argv: [...cpython.run(FILE, NO_PERMISSIONS), ...Array(128).fill('x')] }],
    ['a very long variable', { env: { ...BASE_ENV, OWN: 'x'.repeat(4096) } }],
  ])('of a program is ended when what is started has %s', async (_what, more) => {
    const { sandbox, processes } = await taken('program');
    await sandbox.spawn(program(more));
    expect(processes.map(({ runs }) => runs)[0]).toBe(false);
    expect(processes).toHaveLength(2);
  });

  it('of a session is kept while something else is started', async () => {
    const { sandbox, processes } = await taken('session');
    await sandbox.spawn(program({ argv: ['ls'] }));
    await sandbox.spawn(theKernel());
    expect(processes).toHaveLength(2);
    expect(processes[0]?.runs).toBe(true);
  });

  it.each(['bunfig.toml', 'package.json', 'tsconfig.json', 'jsconfig.base.json', '.env', '.env.local'])(
    'is given up when a file is written that it would have read at its start: %s',
    async name => {
      const js = spec({ toolchain: bun, language: languageNamed('javascript'), purpose: 'program' });
      const { runtime, inner } = await filled(1, { type: 'Bun', toolchains: [bun] }, js);
      const { processes } = inner.last;
      const sandbox = await runtime.create(js);
      await sandbox.files.write('/workspace/data.json', Buffer.from(''));
      expect(processes[0]?.runs).toBe(true);
      await sandbox.files.write(`/workspace/${name}`, Buffer.from(''));
      expect(processes[0]?.runs).toBe(false);
    },
  );

  it('has its program’s file there when it starts, though nothing is in it', async () => {
    const { inner } = await taken('program');
    expect(inner.sandboxes[1]?.files.text(FILE)).toBe('');
  });

  it('is forked even for who finds none waiting, where that can be done', async () => {
    const { runtime, inner } = pooled(1, { capabilities: { prefork: true } });
    await runtime.create(spec());
    expect(inner.last.processes[0]?.spec).toMatchObject({ preforks: true, control: true });
  });
});
