import { expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/runtimes/default-limits.ts';
import { PooledRuntime } from '../../../src/runtimes/pool/pooled-runtime.ts';
import type { SandboxSpec } from '../../../src/runtimes/runtime.ts';
import { SandboxLost } from '../../../src/sandbox.ts';
import { bun } from '../../../src/toolchains/bun.ts';
import { pass, standStill } from '../support/clock.ts';
import type { Script } from '../support/memory-process.ts';
import { languageNamed, MemoryRuntime } from '../support/memory-runtime.ts';

standStill();

const waits: Script = async (spec, program) => {
  if (!spec.control) return {};
  program.control({ ready: true });
  for await (const _ of program.requests()) program.control({ done: true });
  return {};
};
const spec: SandboxSpec = {
  language: languageNamed('javascript'),
  toolchain: bun,
  purpose: 'program',
  limits: DEFAULT_LIMITS,
  request: {},
  egress: null,
  layers: [],
};

/** A pool of two that is full. */
async function full(spec: SandboxSpec) {
  const inner = new MemoryRuntime({ script: waits });
  const runtime = new PooledRuntime(inner, 2);
  await (await runtime.create(spec)).close();
  await pass(1000);
  const started = () => inner.sandboxes.map(sandbox => sandbox.processes.length);
  return { runtime, started };
}

it('a pool that keeps up starts an interpreter in each sandbox that it makes', async () => {
  const { runtime, started } = await full(spec);
  // The first found none, and was made for its program.
  expect(started()).toEqual([0, 1, 1]);
  await runtime.create(spec);
  await pass(1000);
  expect(started()).toEqual([0, 1, 1, 1]);
});

it.each([
  ['program', 20],
  ['session', 2],
] as const)(
  'a pool of a %s that was found empty makes sandboxes without an interpreter until it is full, and then starts one in each',
  async (purpose, busyMs) => {
    const asked = { ...spec, purpose };
    const { runtime, started } = await full(asked);
    for (let i = 0; i < 3; i++) await runtime.create(asked);
    // One is made, and taken before there are two.
    await pass(busyMs);
    const hurried = await runtime.create(asked);
    expect(started().at(-1)).toBe(0);
    await hurried.close();
    await pass(1000);
    expect(runtime.waiting).toBe(2);
    expect(started().slice(-2)).toEqual([1, 1]);
    expect(started().slice(0, -2)).toEqual([0, 1, 1, 0, 0]);
  },
);

it('an interpreter that could not be started afterwards is a start that failed, and its sandbox is closed', async () => {
  const inner = new MemoryRuntime({ script: waits });
  inner.prepare = sandbox => {
    sandbox.beforeSpawn = async () => {
      throw new SandboxLost('it was killed from outside');
    };
  };
  const failed: string[] = [];
  const runtime = new PooledRuntime(inner, 1, { onFailedStart: ({ shortage }) => failed.push(shortage) });
  await runtime.create(spec);
  await pass(1000);
  expect(failed).toHaveLength(1);
  expect(runtime.waiting).toBe(0);
  expect(inner.sandboxes.map(({ closed }) => closed)).toEqual([false, true]);
});
