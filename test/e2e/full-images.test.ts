import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, inject, vi } from 'vitest';
import { needs } from '../support/needs.ts';
import { TestSession } from '../support/session.ts';

/** An image that is full where the service has places of its own: nothing of it is seen there or copied, however large it is. */
const test = needs('docker engine');
const IMAGE = `codebeaker-test-full-${process.pid}`;
const server = inject('server');
const docker = new Docker();
const REMOVED_MS = 30_000;
const LARGE = 8 * 1024 * 1024;
const FILES = {
  'workspace/large': LARGE,
  'tmp/large': LARGE,
  'home/sandbox/large': LARGE,
  // Whose name is that of the first program of every container.
  'usr/local/lib/codebeaker/agent': 10,
  'usr/local/lib/codebeaker/large': LARGE,
};
/** All that a container has of its own beside places of the service: its /etc/hosts, where the engine doesn't write that. */
const HOSTS = '127.0.0.1 localhost\n127.0.1.1 sandbox\n';
const SIZE = Object.values(FILES).reduce((sum, bytes) => sum + bytes, 0);

beforeAll(async () => {
  const root = mkdtempSync(join(tmpdir(), 'full-'));
  for (const [path, bytes] of Object.entries(FILES)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), Buffer.alloc(bytes));
  }
  const tar = spawn('tar', ['c', '-C', root, '.']);
  const answer = await docker.importImage(tar.stdout as never, { repo: IMAGE, tag: 'latest' });
  answer.resume();
  await once(answer, 'end');
  rmSync(root, { recursive: true });
});
// Its container may be there for a moment yet.
afterAll(() => vi.waitFor(() => docker.getImage(IMAGE).remove({ force: true }), { timeout: REMOVED_MS }));

test('what an image has at places of the service is neither seen nor copied', async () => {
  await using session = await TestSession.open(server.wsUrl, { language: 'python', dockerImage: IMAGE });
  expect((await session.done('list_directory', { path: '.' })).entries).toEqual([]);
  await session.done('write_file', { path: 'large', content: 'own' });
  expect((await session.done('read_file', { path: 'large' })).content).toBe('own');
  const filters = JSON.stringify({ label: ['codebeaker.session'], ancestor: [IMAGE] });
  const [container, ...others] = await docker.listContainers({ size: true, filters });
  expect(others).toEqual([]);
  const { SizeRootFs, SizeRw = 0 } = container as unknown as { SizeRootFs: number; SizeRw?: number };
  expect(SizeRootFs - SizeRw).toBe(SIZE);
  expect(SizeRw).toBeLessThanOrEqual(HOSTS.length);
});
