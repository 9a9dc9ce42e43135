import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { pack } from 'tar-fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DIRECT_PATH } from '../../../src/runtimes/docker/connect-directly.ts';
import { containers, docker } from '../../../src/runtimes/docker/index.ts';
import { follow } from '../../../src/runtimes/docker/progress.ts';
import type { Runtimes } from '../../../src/runtimes/index.ts';
import { NoSandbox } from '../../../src/runtimes/no-sandbox.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import type { RuntimeType } from '../../../src/schemas/session.ts';
import { openService } from '../../unit/support/open-service.ts';
import { LIMITS, run, specFor, startRuntimes } from '../local/support.ts';

/** What somebody writes who adds containers of another of the engine's runtimes; `runc` is one that every engine has. */
const other = containers({
  type: 'Runc' as RuntimeType,
  engineRuntime: 'runc',
  isolationLevel: 8,
  capabilities: { image: true },
});

const instance = `test${randomBytes(5).toString('hex')}`;
let first: Runtimes;
beforeAll(async () => {
  first = await startRuntimes({ instance, from: [docker, other], poolSize: 0 });
});
afterAll(() => first[Symbol.asyncDispose]());

const open = (runtime: Runtime) => runtime.create(specFor(runtime, 'python', 'program'));

test('containers of another runtime of the engine run what asks for them', async () => {
  const { run, service } = openService({ runtimes: first.all });
  const done = await run({ language: 'python', code: 'print(6 * 7)', runtimeType: 'Runc' });
  expect(done).toMatchObject({ outcome: 'ok', stdout: '42\n', runtimeType: 'Runc' });
  expect(await service.language('python')).toMatchObject({
    runtimes: expect.arrayContaining([expect.objectContaining({ runtimeType: 'Runc', available: true })]),
  });
});

test('containers of another runtime of the engine stand beside the usual ones, and each kind sweeps its own', async () => {
  const [usual, own] = first.all as [Runtime, Runtime];
  const [one, two] = [await open(usual), await open(own)];
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

test('a container keeps the memory and the disk that it was made with, and takes another share of the CPU', async () => {
  await using container = await open(first.all[1]!);
  expect(await container.resize({ ...LIMITS, cpus: 2 })).toBe(true);
  for (const name of ['memoryBytes', 'diskBytes'] as const)
    expect(await container.resize({ ...LIMITS, [name]: LIMITS[name] + 4096 })).toBe(false);
});

test('a container’s agent is connected to past the engine where its files are to be seen, and leaves no trace of it', async () => {
  await using container = await open(first.all[0]!);
  const { State } = await new Docker().getContainer(`codebeaker-${instance}-${container.id}`).inspect();
  const sockets = readdirSync(`/proc/${State.Pid}/fd`)
    .map(fd => /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${State.Pid}/fd/${fd}`))?.[1])
    .filter(inode => inode !== undefined);
  // What was accepted is of the network namespace that it was connected from, and has the listener's path, though that is gone.
  const all = readFileSync('/proc/self/net/unix', 'utf8');
  const isDirect = sockets.some(inode => all.includes(` ${inode} ${DIRECT_PATH}\n`));
  if (existsSync(`/proc/${State.Pid}/root/workspace`)) expect(isDirect).toBe(true);
  expect(await run(container, 'ls', '-A', '/tmp')).toMatchObject({ stdout: '' });
});

test('a container sees no kernels of interpreters that no image is run with', async () => {
  await using container = await open(first.all[0]!);
  const { stdout } = await run(
    container,
    'sh',
    '-c',
    'cd /usr/local/lib/codebeaker && ls javascript prewarm && du -sk .',
  );
  expect(stdout).toMatch(/^node\.json$/m);
  expect(stdout).not.toMatch(/^(bun|deno)/m);
  expect(Number(/^(\d+)\t\.$/m.exec(stdout)![1])).toBeLessThan(3000);
});

test('an image that has no place for names never runs without them, and the engine makes no others because of it', async () => {
  const engine = new Docker();
  const [runtime] = first.all as [Runtime];
  const image = `codebeaker-unfit-${instance}`;
  const root = mkdtempSync(join(tmpdir(), 'codebeaker-unfit-'));
  const hasNoNetwork = async () => {
    await using container = await open(runtime);
    const { Config } = await engine.getContainer(`codebeaker-${instance}-${container.id}`).inspect();
    return (Config as { NetworkDisabled?: boolean }).NetworkDisabled;
  };
  const before = await hasNoNetwork();
  try {
    mkdirSync(join(root, 'etc/hosts'), { recursive: true });
    await follow((await engine.importImage(pack(root) as never, { repo: image, tag: 'latest' })) as never);
    const spec = { ...specFor(runtime, 'python', 'program'), request: { dockerImage: image } };
    await expect(runtime.create(spec)).rejects.toThrow(NoSandbox);
    expect(await hasNoNetwork()).toBe(before);
  } finally {
    await engine.getImage(image).remove({ force: true });
    rmSync(root, { recursive: true });
  }
});
