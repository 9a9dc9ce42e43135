import { mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { vanishes } from '../../support/traces.ts';
import {
  groupsOf,
  type Local,
  openLocal,
  processesOf,
  python,
  run,
  startRuntimes,
  zygoteOf,
} from './support.ts';

/** Sandboxes that end without having been closed, and zygotes that die. */
let local: Local;
beforeAll(async () => {
  local = await openLocal();
});
afterAll(() => local[Symbol.asyncDispose]());

const commands = (instance: string) => processesOf(instance).map(({ command }) => command.trim());
const agentOf = (instance: string) =>
  processesOf(instance).find(({ command }) => command.startsWith('/usr/local/lib/codebeaker/agent'))!.pid;

test('a sandbox whose agent was killed is lost, and takes nothing with it', async () => {
  const sandbox = await local.open();
  const running = run(sandbox, 'sleep', '60');
  running.catch(() => {});
  await vi.waitFor(() => expect(commands(local.instance)).toContain('sleep 60'), 60_000);
  process.kill(agentOf(local.instance), 'SIGKILL');
  await expect(running).rejects.toMatchObject({ name: 'SandboxLost', outOfMemory: false });
  expect(await sandbox.lost).toMatchObject({ name: 'SandboxLost', outOfMemory: false });
  expect(await vanishes(() => [...processesOf(local.instance), ...groupsOf(local.instance)])).toEqual([]);
  await expect(run(sandbox, 'true')).rejects.toMatchObject({ name: 'SandboxLost' });
  await sandbox.close();
});

test('a child that was killed for memory long ago is not why a sandbox is lost now', async () => {
  const sandbox = await local.open({ memoryBytes: 96 << 20 });
  await python(sandbox, `held = b'x' * (200 << 20)`);
  expect((await sandbox.measure()).oomKills).toBeGreaterThan(0);
  await sandbox.begin();
  process.kill(agentOf(local.instance), 'SIGKILL');
  expect(await sandbox.lost).toMatchObject({ outOfMemory: false });
});

test('a zygote that was killed takes its sandboxes with it, and the next launcher sweeps and works', async () => {
  const sandbox = await local.open();
  const running = run(sandbox, 'sleep', '60');
  running.catch(() => {});
  // One that lived for less than a second is not followed by itself; see SHORT_LIFE_MS in launchers.ts.
  await new Promise(resolve => setTimeout(resolve, 1100));
  process.kill(zygoteOf(local.instance), 'SIGKILL');
  expect(await sandbox.lost).toMatchObject({ name: 'SandboxLost', outOfMemory: false });
  await expect(running).rejects.toMatchObject({ name: 'SandboxLost' });
  // Nobody asks for a sandbox meanwhile: the next launcher starts by itself.
  expect(await vanishes(() => [...processesOf(local.instance), ...groupsOf(local.instance)])).toEqual([]);
  await sandbox.close();
  const next = await local.open();
  expect(await run(next, 'echo', 'here')).toMatchObject({ stdout: 'here\n' });
  await next.close();
});

test('two instances leave each other alone, also when one sweeps', async () => {
  const sandbox = await local.open();
  const other = await openLocal();
  const theirs = await other.open();
  await other.runtimes[Symbol.asyncDispose]();
  expect(groupsOf(other.instance)).toEqual([]);
  await expect(run(theirs, 'true')).rejects.toMatchObject({ name: 'SandboxLost' });
  expect(await run(sandbox, 'echo', 'here')).toMatchObject({ stdout: 'here\n' });
  await sandbox.close();
});

test('what an earlier server of the same instance left is swept at the start', async () => {
  const other = await openLocal();
  const sandbox = await other.open();
  const parents = groupsOf(other.instance).map(path => path.replace(/\/[^/]+$/, ''));
  await sandbox.close();
  await other.runtimes[Symbol.asyncDispose]();
  for (const parent of parents) mkdirSync(`${parent}/left-behind`, { recursive: true });
  expect(groupsOf(other.instance)).toHaveLength(parents.length);
  const again = await startRuntimes({ instance: other.instance, runtimes: ['Python'] });
  expect(groupsOf(other.instance)).toEqual([]);
  await again[Symbol.asyncDispose]();
  for (const parent of parents) expect(() => readFileSync(`${parent}/cgroup.procs`)).toThrow('ENOENT');
});
