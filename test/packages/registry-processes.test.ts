import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Users } from '../../src/launcher/users.ts';
import { LayerStore } from '../../src/packages/layer-store.ts';
import { AskedPages } from '../../src/packages/registry/asked-pages.ts';
import { PAGES_SOCKET } from '../../src/packages/registry/protocol.ts';
import { PagesProcess } from '../../src/packages/registry-process.ts';
import { RegistryProcesses } from '../../src/packages/registry-processes.ts';
import { NpmRegistryServer, published } from '../support/npm-registry.ts';
import { isRoot } from './registry-install.ts';

/** Processes as the server starts, waits for and replaces them. */
const root = mkdtempSync(join(tmpdir(), 'codebeaker-processes-'));
const slow = { asked: 0, left: 0 };
const registry = createServer((request, response) => {
  if (request.url !== '/slow') return void response.end('page');
  slow.asked++;
  response.once('close', () => void slow.left++);
}).listen(0, '127.0.0.1');
const url = () => `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`;
const index = () => ({ url: url(), authorization: null });

afterAll(() => {
  registry.close();
  rmSync(root, { recursive: true, force: true });
});

const isThere = (pid: number | undefined) => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};

test('the process of an install waits for it where one was used before, knows nothing till then, and ends where none comes', async () => {
  const store = new LayerStore(join(root, 'store'), { maxBytes: 1e9 });
  const settings = {
    ...{ indexes: { python: index(), npm: index(), go: { ...index(), checksums: null } } },
    ...{ deny: [], minAgeDays: 0, certificates: null },
  } as never;
  const users = isRoot ? new Users('another test', 'registry') : null;
  const processes = new RegistryProcesses({ store, settings, users, idleMs: 1000 });
  const waiting = () => readdirSync(join(root, 'store/waiting'));
  const work = (build: boolean) => ({ kind: 'install', ecosystem: 'npm', address: url(), build }) as const;
  const begin = (build = false) => processes.begin(work(build), 'npm', () => {});
  {
    await using first = begin();
    expect(waiting()).toEqual([]);
    first.registry.ask({ op: 'facts' });
    expect(await first.registry.answer).toEqual({ event: 'facts', failure: null });
  }
  await expect.poll(waiting).toHaveLength(1);
  const [prepared = ''] = waiting();
  {
    // Code of packages runs beside it: none that has waited for others.
    await using build = begin(true);
    expect(basename(build.directory)).not.toBe(prepared);
    await using second = begin();
    expect(basename(second.directory)).toBe(prepared);
    expect(waiting()).toEqual([]);
    const { pid } = second.registry;
    const proc = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
    expect(proc('cmdline').split('\0')).toContain('--permission');
    second.registry.ask({ op: 'facts' });
    expect(await second.registry.answer).toEqual({ event: 'facts', failure: null });
    if (isRoot) expect(proc('status')).not.toMatch(/^Uid:\t0\t/m);
  }
  await expect.poll(waiting).toHaveLength(1);
  await expect.poll(waiting, { timeout: 5000 }).toEqual([]);
  expect(readdirSync(join(root, 'store/incoming'))).toEqual([]);
});

test('where nothing can be written no process waits, and none that an install lacks keeps its user', async () => {
  const directory = join(root, 'unwritable');
  const store = new LayerStore(directory, { maxBytes: 1e9 });
  const settings = {
    ...{ indexes: { python: index(), npm: index(), go: { ...index(), checksums: null } } },
    ...{ deny: [], minAgeDays: 0, certificates: null },
  } as never;
  const taken = new Set<number>();
  const all = new Users('a fifth test', 'registry');
  const take = () => {
    const uid = all.take();
    taken.add(uid);
    return uid;
  };
  const give = (uid: number) => {
    all.give(uid);
    taken.delete(uid);
  };
  const users = isRoot ? { take, give } : null;
  const processes = new RegistryProcesses({ store, settings, users });
  const work = { kind: 'install', ecosystem: 'npm', address: url(), build: true } as const;
  const begin = () => processes.begin(work, 'npm', () => {});
  // Where there is no directory, nothing is made in it: one by one, as a disk is full that has been full for parts of an install only.
  const [waiting, incoming] = ['waiting', 'incoming'].map(name => join(directory, name)) as [string, string];
  for (const missing of [waiting, incoming]) {
    rmSync(missing, { recursive: true });
    expect(begin).toThrow('ENOENT');
    mkdirSync(missing);
    await expect.poll(() => taken.size).toBe(0);
  }
  {
    await using shared = processes.begin({ ...work, build: false }, 'npm', () => {});
    shared.registry.ask({ op: 'facts' });
    await shared.registry.answer;
    rmSync(waiting, { recursive: true });
  }
  // What a timer throws ends the server.
  const thrown: unknown[] = [];
  const note = (error: unknown) => void thrown.push(error);
  process.on('uncaughtException', note);
  await new Promise(resolve => setTimeout(resolve, 400));
  process.off('uncaughtException', note);
  expect(thrown).toEqual([]);
});

test('who keeps pages ends where nobody asks for a while, and is replaced where it does not answer', async () => {
  const directory = mkdtempSync(join(root, 'pages-'));
  const users = isRoot ? new Users('a third test', 'registry') : null;
  let ended = 0;
  const uid = users?.take() ?? null;
  const setup = { uid, certificates: null, indexes: { npm: index() }, address: '', deny: [], minAgeDays: 0 };
  const begin = () => ({ setup, ended: () => void ended++ });
  const pages = new PagesProcess(directory, begin, { heardMs: 1000, idleMs: 3000 });
  const get = async (heardMs = 5000) => {
    pages.wanted();
    const asks = new AskedPages(join(directory, PAGES_SOCKET), 'npm', { heardMs });
    return (await asks.get(new URL('page', url()), 'any', 100))?.bytes.toString();
  };
  expect(await get()).toBe('page');
  const first = pages.pid!;
  // What nobody waits for any more is not read on.
  const stop = new AbortController();
  const dropped = pages.pick('npm', [{ name: 'slow', versions: '' }], stop.signal);
  await expect.poll(() => slow.asked).toBe(1);
  stop.abort();
  expect(await dropped).toEqual([]);
  await expect.poll(() => slow.left).toBe(1);
  process.kill(first, 'SIGSTOP');
  // Whoever asks then asks the registry itself.
  const picked = pages.pick('npm', [{ name: 'page', versions: '' }]);
  expect(await get(200)).toBeUndefined();
  expect(await picked).toEqual([]);
  await expect.poll(() => isThere(first), { timeout: 5000 }).toBe(false);
  await expect.poll(() => ended).toBe(1);
  expect(await get()).toBe('page');
  const second = pages.pid!;
  expect(second).not.toBe(first);
  await expect.poll(() => isThere(second), { timeout: 10_000 }).toBe(false);
  await expect.poll(() => ended).toBe(2);
  expect(pages.pid).toBeUndefined();
});

test('who keeps pages picks a version of each package as an installer does, of those that one is shown', async () => {
  await using npm = await NpmRegistryServer.start();
  for (const version of ['1.0.0', '1.2.0', '2.0.0', '3.0.0-rc.1'])
    npm.add(await published('many', version, { 'index.js': '' }));
  npm.add(await published('denied', '1.0.0', {}), await published('other', '1.0.0', {}));
  const directory = mkdtempSync(join(root, 'picks-'));
  const users = isRoot ? new Users('a fourth test', 'registry') : null;
  const indexes = { npm: { url: npm.url, authorization: null } };
  const uid = users?.take() ?? null;
  const setup = { uid, certificates: null, indexes, address: '', deny: ['denied'], minAgeDays: 0 };
  const pages = new PagesProcess(directory, () => ({ setup, ended: () => {} }), { idleMs: 4000 });
  const versions = ['', 'latest', '^1', '1.0.0 || 9', '>=3', '9', 'constructor'];
  const many = pages.pick(
    'npm',
    versions.map(each => ({ name: 'many', versions: each })),
  );
  const wanted = ['denied', 'nobody', '__proto__', 'other'].map(name => ({ name, versions: '' }));
  expect(await pages.pick('npm', wanted)).toEqual([null, null, null, '1.0.0']);
  const newest = '3.0.0-rc.1';
  expect(await many).toEqual([newest, newest, '1.2.0', '1.0.0', null, null, null]);
  expect(await pages.pick('python', wanted)).toEqual([]);
  await expect.poll(() => pages.pid, { timeout: 10_000 }).toBeUndefined();
});
