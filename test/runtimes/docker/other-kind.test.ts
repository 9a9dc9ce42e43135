import { randomBytes } from 'node:crypto';
import Docker from 'dockerode';
import { expect, test } from 'vitest';
import { containers, docker } from '../../../src/runtimes/docker/index.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import type { RuntimeType } from '../../../src/schemas/session.ts';
import { run, specFor, startRuntimes } from '../local/support.ts';

/** What somebody writes who adds containers of another of the engine's runtimes; `runc` is one that every engine has. */
const other = containers({
  type: 'Runc' as RuntimeType,
  engineRuntime: 'runc',
  isolationLevel: 8,
  capabilities: { image: true },
});

test('containers of another runtime of the engine stand beside the usual ones, and each kind sweeps its own', async () => {
  const instance = `test${randomBytes(5).toString('hex')}`;
  await using first = await startRuntimes({ instance, from: [docker, other], poolSize: 0 });
  const [usual, own] = first.all as [Runtime, Runtime];
  const open = (runtime: Runtime) => runtime.create(specFor(runtime, 'python', 'program'));
  const [one, two] = [await open(usual), await open(own)];
  expect(await run(two, 'python3', '-c', 'print(6 * 7)')).toMatchObject({ stdout: '42\n', code: 0 });
  const engine = new Docker();
  const runtimeOf = async (name: string) => (await engine.getContainer(name).inspect()).HostConfig.Runtime;
  expect(await runtimeOf(`codebeaker-${instance}-${one.id}`)).toBe('runc');
  expect(await runtimeOf(`codebeaker-${instance}-runc-${two.id}`)).toBe('runc');
  // A server of the same instance comes up, as after a crash: what the one kind swept is not the other's.
  {
    await using again = await startRuntimes({ instance, from: [docker], poolSize: 0 });
    expect(again.all[0]?.state.available).toBe(true);
    await one.lost;
    expect(await run(two, 'echo', 'still here')).toMatchObject({ stdout: 'still here\n' });
  }
  expect(own.capabilities).toMatchObject({ image: true, writableRoot: false });
});
