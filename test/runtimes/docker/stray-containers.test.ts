import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { docker } from '../../../src/runtimes/docker/index.ts';
import type { SandboxLibrary } from '../../../src/runtimes/library.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { type Answer, FakeEngine } from '../../support/fake-engine.ts';
import { specFor } from '../local/support.ts';

/** A removal that an engine did not do is made up while it answers, without a new connection. */
const MINUTE = 60_000;
const INSTANCE = 'mine';
const [STRAY, LIVING] = ['a'.repeat(64), 'b'.repeat(64)];

let fake: FakeEngine;
let runtime: Runtime;
const directory = mkdtempSync(join(tmpdir(), 'library-'));
beforeEach(async () => {
  fake = new FakeEngine();
  vi.stubEnv('DOCKER_HOST', `unix://${fake.socket}`);
  vi.useFakeTimers({ toFake: ['performance'] });
  const library = { get: async () => ({ directory, hash: 'hash' }) } as unknown as SandboxLibrary;
  runtime = docker.create({ instance: INSTANCE, images: ['*'], library } as never) as Runtime;
  await runtime.probe();
});
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(async () => {
  await runtime.close();
  vi.useRealTimers();
  vi.unstubAllEnvs();
  fake[Symbol.dispose]();
});

/** What the engine has, and how it answers a removal. */
let containers: { Id: string; Labels: Record<string, string> }[] = [];
let removal = 204;
/** Names of sandboxes whose containers are being made, for ever. */
const making: string[] = [];
const answer: Answer = (request, response) => {
  if (request.method === 'GET') return response.end(JSON.stringify(containers));
  if (request.method === 'DELETE') return response.writeHead(removal).end('{}');
  const name = new URL(`http://engine${request.url}`).searchParams.get('name') ?? '';
  if (making.length === 0) making.push(name.replace(`codebeaker-${INSTANCE}-`, ''));
  else response.destroy();
};

const containerOf = (Id: string, session: string) => ({
  Id,
  Labels: { 'codebeaker.instance': INSTANCE, 'codebeaker.session': session },
});
const times = (line: RegExp) => fake.asked.filter(each => line.test(each)).length;
const spec = () => ({
  ...specFor(runtime, 'python', 'program'),
  request: { dockerImage: 'codebeaker-there-x' },
});

/** Has the runtime look after its engine, as it does every few seconds, and waits until it has. */
async function look(): Promise<void> {
  const images = times(/^GET \/images\/codebeaker-(?!there)/);
  await expect(runtime.create(spec())).rejects.toThrow();
  await expect.poll(() => times(/^GET \/images\/codebeaker-(?!there)/)).toBeGreaterThan(images);
}

test('those of no sandbox are looked for once a minute, and removed', async () => {
  fake.misbehave = [/^(POST \/containers\/create|GET \/containers\/json|DELETE \/containers\/)/, answer];
  runtime.create(spec()).catch(() => {});
  await expect.poll(() => making).toHaveLength(1);
  const lists = times(/^GET \/containers\/json/);
  containers = [containerOf(STRAY, 'of nobody'), containerOf(LIVING, making[0]!)];
  await look();
  await look();
  expect(times(/^GET \/containers\/json/)).toBe(lists);
  removal = 500;
  vi.advanceTimersByTime(MINUTE);
  await look();
  await expect.poll(() => times(new RegExp(`^DELETE /containers/${STRAY}`))).toBe(1);
  removal = 204;
  await look();
  vi.advanceTimersByTime(MINUTE);
  await look();
  await expect.poll(() => times(new RegExp(`^DELETE /containers/${STRAY}`))).toBe(2);
  expect(times(/^GET \/containers\/json/)).toBe(lists + 2);
  expect(times(new RegExp(`^DELETE /containers/${LIVING}`))).toBe(0);
  // It is still the first connection: nothing was made up at a new one.
  expect(times(/^GET \/version/)).toBe(1);
});
