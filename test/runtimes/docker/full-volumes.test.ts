import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest';
import { docker } from '../../../src/runtimes/docker/index.ts';
import type { SandboxLibrary } from '../../../src/runtimes/library.ts';
import type { Runtime } from '../../../src/runtimes/runtime.ts';
import { FakeEngine } from '../../support/fake-engine.ts';
import { specFor } from '../local/support.ts';

/** A volume of layers that is full gives way to one, of however many sandboxes, and what holds it goes with it. */
const INSTANCE = 'mine';
const directory = mkdtempSync(join(tmpdir(), 'library-'));
let fake: FakeEngine;
let runtime: Runtime;
/** What holds volumes on the engine: labels by the container's id. */
const holders = new Map<string, Record<string, string>>();
let made = 0;
/** Whether the engine takes files into new volumes. */
let takesFiles = true;
/** It takes its time for that. */
let taking: Promise<void> | undefined;

beforeEach(async () => {
  fake = new FakeEngine();
  holders.clear();
  [made, takesFiles, taking] = [0, true, undefined];
  vi.stubEnv('DOCKER_HOST', `unix://${fake.socket}`);
  fake.misbehave = [
    /^(POST \/containers\/create|GET \/containers\/json|DELETE \/containers\/|PUT \/containers\/)/,
    async (request, response) => {
      const status = await answer(request);
      const body = request.method === 'GET' ? listed() : { Id: idOf(made) };
      response.writeHead(status).end(JSON.stringify(body));
    },
  ];
  const library = { get: async () => ({ directory, hash: 'hash' }) } as unknown as SandboxLibrary;
  // A volume without any layer is full.
  const packages = { maxBytes: -1 };
  runtime = docker.create({ instance: INSTANCE, images: ['*'], library, packages } as never) as Runtime;
  await runtime.probe();
});
afterEach(async () => {
  await runtime.close();
  vi.unstubAllEnvs();
  fake[Symbol.dispose]();
});
afterAll(() => rmSync(directory, { recursive: true }));

const idOf = (number: number) => number.toString(16).padStart(64, '0');
const listed = () => [...holders].map(([Id, Labels]) => ({ Id, Labels }));

async function answer(request: IncomingMessage): Promise<number> {
  const { method, url = '' } = request;
  if (method === 'GET') return 200;
  if (method === 'PUT') {
    await taking;
    return takesFiles ? 200 : 500;
  }
  if (method === 'DELETE') return holders.delete(url.split(/[/?]/)[2]!) ? 204 : 404;
  // No sandbox is made: it is volumes that are counted.
  if (url.includes('name=')) return 500;
  const { Labels } = (await json(request)) as { Labels?: Record<string, string> };
  // The library's has none.
  if (Labels) holders.set(idOf(++made), Labels);
  return 201;
}

const create = () =>
  runtime.create({
    ...specFor(runtime, 'python', 'program'),
    request: { dockerImage: 'codebeaker-there-x' },
  });

test('two sandboxes at once make one new volume, and closing leaves nothing that holds one', async () => {
  expect(made).toBe(1);
  await Promise.allSettled([create(), create()]);
  expect(made).toBe(2);
  expect([...holders.keys()]).toEqual([idOf(2)]);
  await create().catch(() => {});
  expect([...holders.keys()]).toEqual([idOf(3)]);
  await runtime.close();
  expect(holders.size).toBe(0);
});

test('a volume that could not be made leaves nothing that holds it, and the next sandbox tries again', async () => {
  takesFiles = false;
  const failed = await Promise.allSettled([create(), create()]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect([...holders.keys()]).toEqual([idOf(1), idOf(2)]);
  takesFiles = true;
  await create().catch(() => {});
  expect(made).toBe(3);
  await runtime.close();
  expect(holders.size).toBe(0);
});

test('an engine that is lost meanwhile keeps none once it is there again', async () => {
  const taken = Promise.withResolvers<void>();
  taking = taken.promise;
  const making = [create(), create()];
  await expect.poll(() => made).toBe(2);
  fake.hangUp();
  await expect.poll(() => runtime.state.version).toBeNull();
  taken.resolve();
  await Promise.allSettled(making);
  await runtime.probe();
  expect(runtime.state.version).not.toBeNull();
  await runtime.close();
  expect(holders.size).toBe(0);
});
