import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LayerStore } from '../../src/packages/layer-store.ts';
import { ArtifactCache, type Digest } from '../../src/packages/registry/artifacts.ts';
import { Facts } from '../../src/packages/registry/facts.ts';
import { Policy } from '../../src/packages/registry/policy.ts';
import { PythonIndex } from '../../src/packages/registry/python-index.ts';
import { type Answer, Upstream } from '../../src/packages/registry/upstream.ts';

/** What installs download has a bound, also of those that fail. */
const root = mkdtempSync(join(tmpdir(), 'codebeaker-downloads-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const PIECE = Buffer.alloc(100, 'x');
const digestOf = (data: Uint8Array): Digest => ({
  algorithm: 'sha256',
  hex: createHash('sha256').update(data).digest('hex'),
});

function answerOf(pieces: readonly Uint8Array[]): Answer {
  const body = (async function* () {
    yield* pieces;
  })();
  return { status: 200, type: '', url: '', length: null, freshMs: 0, body, cancel: () => {} };
}

test('an install downloads so much and no more, however many artifacts it is', async () => {
  const directory = join(root, 'install');
  mkdirSync(directory);
  const cache = new ArtifactCache(directory, 1000);
  const read = async (name: string, pieces: number) => {
    const data = Buffer.concat([Buffer.from(name), ...Array(pieces).fill(PIECE)]);
    const cut = Array.from({ length: pieces + 1 }, (_, i) => data.subarray(i * 100, (i + 1) * 100));
    for await (const _ of cache.read(digestOf(data), async () => answerOf(cut)));
  };
  await read('one', 4);
  await read('two', 4);
  // What is there already is not downloaded again.
  await read('one', 4);
  await expect(read('three', 4)).rejects.toThrow('artifacts of more than 1000 bytes together');
  expect(readdirSync(directory)).toHaveLength(2);
});

test('what goes for want of room while an install fetches or reads it is given to its end', async () => {
  const directory = join(root, 'removed');
  mkdirSync(directory);
  const empty = () => {
    for (const name of readdirSync(directory)) rmSync(join(directory, name));
  };
  /** With what is kept removed at the first piece. */
  const read = async (data: Buffer, fetch: () => Promise<Answer>) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of new ArtifactCache(directory).read(digestOf(data), fetch)) {
      empty();
      pieces.push(piece);
    }
    return Buffer.concat(pieces).equals(data);
  };
  const fetched = Buffer.concat([PIECE, PIECE]);
  expect(await read(fetched, async () => answerOf([PIECE, PIECE]))).toBe(true);
  // More than is held in memory: it is read twice.
  const kept = Buffer.alloc(65 * 1024 * 1024, 'y');
  writeFileSync(join(directory, `sha256-${digestOf(kept).hex}`), kept);
  expect(await read(kept, () => Promise.reject(new Error('asked for again')))).toBe(true);
});

test('an install looks at so many bytes of an index and no more, however many projects it is', async () => {
  const page = Buffer.from(JSON.stringify({ files: [], meta: 'x'.repeat(400) }));
  const type = 'application/vnd.pypi.simple.v1+json';
  const get = async () => ({ ...answerOf([page]), type });
  const upstream = Object.assign(
    new Upstream({ url: 'http://index/', authorization: null }, { mostBytes: 1000 }),
    { get },
  );
  const policy = new Policy({ deny: [], minAgeDays: 0 });
  const index = new PythonIndex({ upstream, policy, facts: new Facts(), build: false, described: null });
  for (const name of ['one', 'two', 'one', 'two']) expect(await index.page(name)).toContain(name);
  await expect(index.page('three')).rejects.toThrow('pages of more than 1000 bytes together');
});

test('what failed installs have left goes when it is too much, the oldest first, whatever it is', async () => {
  const outside = join(root, 'outside');
  writeFileSync(outside, 'stays');
  const store = new LayerStore(join(root, 'store'), { maxBytes: 2000 });
  const put = (name: string, minutes: number, bytes = 200) => {
    writeFileSync(join(store.cache, name), Buffer.alloc(bytes));
    utimesSync(join(store.cache, name), minutes * 60, minutes * 60);
  };
  symlinkSync(outside, join(store.cache, 'link'));
  mkdirSync(join(store.cache, 'directory', 'deep'), { recursive: true });
  for (const [name, minutes] of [
    ['old', 1],
    ['older', 0],
    ['newer', 2],
    ['newest', 3],
  ] as const)
    put(name, minutes);
  await store.discard(store.begin());
  expect(readdirSync(store.cache)).not.toContain('older');
  put('all', 1e9, 1000);
  await store.discard(store.begin());
  expect(readdirSync(store.cache)).toEqual([]);
  expect(readdirSync(root)).toContain('outside');
});

test('a layer that is asked for in ever new words remembers the newest of them', async () => {
  const store = new LayerStore(join(root, 'words'), { maxBytes: 200_000 });
  const add = (key: string) => {
    const incoming = store.begin();
    mkdirSync(join(incoming, 'tree'));
    return store.add([key], incoming, { id: 'same', bytes: 1, installed: [] });
  };
  for (let i = 0; i < 110; i++) await add(`key ${i}`);
  expect(store.find('key 9', 0)).toBeUndefined();
  expect(store.find('key 10', 0)).toBeDefined();
  expect(store.find('key 109', 0)).toBeDefined();
});
