import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { AGENT_FILE, joinWords } from '../../src/agent/artifact.ts';
import { Unjoinable } from '../../src/packages/joined-tree.ts';
import { LAYER_BOUNDS } from '../../src/packages/layer.ts';
import { StoreFull } from '../../src/packages/layer-room.ts';
import { LayerStore } from '../../src/packages/layer-store.ts';

const root = mkdtempSync(join(tmpdir(), 'codebeaker-layers-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let directories = 0;
const fresh = () => join(root, String(directories++));
/** Bytes that layers are measured by here: each is far more than its few entries take. */
const UNIT = 10_000;
const open = (directory: string, units = 1000) => new LayerStore(directory, { maxBytes: units * UNIT });

/** Adds a layer of one file. */
function add(
  store: LayerStore,
  key: string,
  { id = key, units = 100, ...more }: { id?: string; units?: number; builder?: string } = {},
) {
  const incoming = store.begin();
  mkdirSync(join(incoming, 'tree'));
  writeFileSync(join(incoming, 'tree/content'), id);
  return store.add([key], incoming, { id, bytes: units * UNIT, installed: [], ...more });
}

test('a layer is found by its request, by the next server too, and its name tells nothing', async () => {
  const directory = fresh();
  const store = open(directory);
  const layer = await add(store, 'key');
  expect(layer.name).toMatch(/^[0-9a-f]{32}$/);
  expect(readFileSync(join(store.layers, layer.name, 'content'), 'utf8')).toBe('key');
  const again = open(directory);
  expect(again.find('key', 0)).toMatchObject({ id: 'key', name: layer.name });
  expect(again.find('key', Date.now() + 1000)).toBeUndefined();
  expect(again.find('another', 0)).toBeUndefined();
  expect(statSync(store.layers).mode & 0o777).toBe(0o711);
});

test('a layer that was put together answers for no longer than what it is made of', async () => {
  const store = open(fresh());
  const part = await add(store, 'part');
  const [then, parts] = [Date.now() - 60_000, [part.name]];
  const { directory, overhead } = await store.joined([part], null);
  const layer = await store.add(['all'], directory, { ...part, id: 'all', parts, overhead }, then);
  expect(store.resolvedAt('all', layer)).toBe(then);
  expect(store.find('all', then)).toEqual(layer);
  expect(store.find('all', then + 1)).toBeUndefined();
});

test('requests that come to the same share one layer', async () => {
  const store = open(fresh());
  const one = await add(store, 'one', { id: 'same' });
  const other = await add(store, 'other', { id: 'same' });
  expect(other.name).toBe(one.name);
  expect(readdirSync(store.layers)).toHaveLength(1);
});

test('what a crash leaves is gone at the next start: half a layer, one without a record, a record without one', async () => {
  const directory = fresh();
  const store = open(directory);
  const kept = await add(store, 'kept');
  const lost = await add(store, 'lost');
  writeFileSync(join(store.begin(), 'half'), '');
  mkdirSync(join(store.layers, 'f'.repeat(32)));
  writeFileSync(join(directory, 'records', `${'a'.repeat(32)}.json`), '{"half');
  rmSync(join(store.layers, lost.name), { recursive: true });
  const again = open(directory);
  expect(again.find('kept', 0)?.name).toBe(kept.name);
  expect(again.find('lost', 0)).toBeUndefined();
  expect(readdirSync(again.layers)).toEqual([kept.name]);
  expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
  expect(readdirSync(join(directory, 'records'))).toEqual([`${kept.name}.json`]);
});

test('what may not have reached the disk before the machine went down is not believed', async () => {
  const directory = fresh();
  const store = open(directory);
  const { name } = await add(store, 'key');
  const file = join(directory, 'records', `${name}.json`);
  const read = () => JSON.parse(readFileSync(file, 'utf8'));
  await vi.waitFor(() => expect(read().onDisk).toBe(true), { timeout: 30_000 });
  const record = { ...read(), boot: 'an earlier one' };
  writeFileSync(file, JSON.stringify(record));
  expect(open(directory).find('key', 0)?.name).toBe(name);
  writeFileSync(file, JSON.stringify({ ...record, onDisk: false }));
  const again = open(directory);
  expect(again.find('key', 0)).toBeUndefined();
  expect(existsSync(join(again.layers, name))).toBe(false);
});

test('a record that can’t be written keeps no other from being known as on disk', async () => {
  const directory = fresh();
  const store = open(directory);
  const records = join(directory, 'records');
  const [lost, kept] = [await add(store, 'lost'), await add(store, 'kept')];
  rmSync(join(records, `${lost.name}.json`));
  // Nothing takes the place of a directory that holds something.
  mkdirSync(join(records, `${lost.name}.json/something`), { recursive: true });
  const read = () => JSON.parse(readFileSync(join(records, `${kept.name}.json`), 'utf8'));
  await vi.waitFor(() => expect(read().onDisk).toBe(true), { timeout: 30_000 });
  expect(readdirSync(records).toSorted()).toEqual([kept, lost].map(({ name }) => `${name}.json`).toSorted());
});

test('on a disk that takes nothing more, layers answer all the same, are left without an error, and directories go', async () => {
  const directory = fresh();
  const store = open(directory);
  const layer = await add(store, 'key');
  const use = store.use(layer);
  // Nothing can be made where there is no directory, nor moved to it.
  for (const name of ['records', 'incoming']) rmSync(join(directory, name), { recursive: true });
  await store.answer(['other'], layer);
  expect(store.find('other', 0)?.name).toBe(layer.name);
  mkdirSync(join(directory, 'incoming'));
  const better = await add(store, 'key', { id: 'better' });
  await store.answer(['other'], better);
  rmSync(join(directory, 'incoming'), { recursive: true });
  use[Symbol.dispose]();
  expect(store.held.layers).toBe(1);
  mkdirSync(join(directory, 'incoming'));
  const incoming = store.begin();
  rmSync(store.cache, { recursive: true });
  await store.discard(incoming);
  expect(existsSync(incoming)).toBe(false);
});

test('what a server before this one has made in an earlier way is not believed, and gone', async () => {
  const directory = fresh();
  const { name } = await add(open(directory), 'key');
  const file = join(directory, 'records', `${name}.json`);
  const { way: _, ...earlier } = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify(earlier));
  const again = open(directory);
  expect(again.find('key', 0)).toBeUndefined();
  expect([readdirSync(again.layers), existsSync(file)]).toEqual([[], false]);
});

test('the longest unused go when all take more than they may, and what is used stays', async () => {
  const store = open(fresh(), 250);
  const used = await add(store, 'used');
  using _use = store.use(used);
  const old = await add(store, 'old');
  await new Promise(resolve => setTimeout(resolve, 20));
  const newer = await add(store, 'newer');
  expect(store.find('used', 0)).toBe(used);
  expect(store.find('old', 0)).toBeUndefined();
  expect(store.find('newer', 0)).toBe(newer);
  expect(existsSync(join(store.layers, old.name))).toBe(false);
  await expect(add(store, 'too large', { units: 151 })).rejects.toThrow(StoreFull);
  expect(store.find('newer', 0)).toBe(newer);
  const newest = await add(store, 'newest', { units: 150 });
  expect(store.find('newer', 0)).toBeUndefined();
  expect(store.find('newest', 0)).toBe(newest);
  expect(store.find('used', 0)).toBe(used);
});

test('what is built for one pushes out what was built for the same, also after another start, and nothing of others', async () => {
  const directory = fresh();
  const store = open(directory, 600);
  const build = (key: string, builder: string) => add(store, key, { builder });
  await add(store, 'shared', { units: 200 });
  await build('other', 'b');
  for (let i = 1; i <= 10; i++) await build(`built ${i}`, 'a');
  const left = (of: LayerStore) =>
    ['shared', 'other', ...Array.from({ length: 10 }, (_, i) => `built ${i + 1}`)].filter(key =>
      of.find(key, 0),
    );
  expect(left(store)).toEqual(['shared', 'other', 'built 8', 'built 9', 'built 10']);
  const uses = ['built 9', 'built 10'].map(key => store.use(store.find(key, 0)!));
  await expect(add(store, 'large', { units: 150, builder: 'a' })).rejects.toThrow(StoreFull);
  for (const use of uses) use[Symbol.dispose]();
  const again = open(directory, 600);
  await add(again, 'built anew', { builder: 'a' });
  expect(left(again)).toHaveLength(4);
  expect(left(again).slice(0, 2)).toEqual(['shared', 'other']);
});

test('a layer that another has taken the place of goes with its last user', async () => {
  const store = open(fresh());
  const first = await add(store, 'key', { id: 'first' });
  const use = store.use(first);
  const second = await add(store, 'key', { id: 'second' });
  expect(store.find('key', 0)).toBe(second);
  expect(existsSync(join(store.layers, first.name))).toBe(true);
  use[Symbol.dispose]();
  expect(existsSync(join(store.layers, first.name))).toBe(false);
  expect(readdirSync(store.layers)).toEqual([second.name]);
});

test('a request that another layer answers now is that one’s for the next server too', async () => {
  const directory = fresh();
  const store = open(directory);
  const first = await add(store, 'key', { id: 'first' });
  await store.answer(['other'], first);
  const second = await add(store, 'key', { id: 'second' });
  const again = open(directory);
  expect(again.keysOf(first)).toEqual(['other']);
  expect(again.find('key', 0)).toMatchObject({ name: second.name });
});

test('kept artifacts are bounded by a part of that', async () => {
  const store = open(fresh(), 400);
  for (const name of ['a', 'b', 'c']) writeFileSync(join(store.cache, name), Buffer.alloc(60 * UNIT));
  await store.discard(store.begin());
  expect(readdirSync(store.cache)).toHaveLength(1);
});

test('what a layer is made of is described by a copy, for as long as it is there, and where that is one plain file', async () => {
  const [directory, root] = [fresh(), fresh()];
  const store = open(directory, 400);
  const about = { directory: 'python', suffix: '.dist-info', file: 'METADATA' };
  const made = async (hex: string, write: (tree: string) => void, more = {}, pin = 'x==1') => {
    const incoming = store.begin();
    const tree = join(incoming, 'tree/python/x.dist-info');
    mkdirSync(tree, { recursive: true });
    write(tree);
    const installed = [{ name: hex, version: '1', bytes: 1, digest: `sha256:${hex}` }];
    const layer = await store.add([hex], incoming, { id: hex, bytes: UNIT, installed, ...more });
    await store.describe(layer, pin, about).catch(() => {});
    return layer;
  };
  const plain = (tree: string) => writeFileSync(join(tree, 'METADATA'), 'Name: x');
  const good = 'ab'.repeat(32);
  const layer = await made(good, plain);
  await made('../layers/elsewhere', plain);
  await made('4'.repeat(64), plain, {}, '../x==1');
  await made('0'.repeat(64), plain, { builder: 'somebody' });
  await made('1'.repeat(64), tree => symlinkSync('/etc/hostname', join(tree, 'METADATA')));
  mkdirSync(root);
  writeFileSync(join(root, 'METADATA'), 'elsewhere');
  await made('2'.repeat(64), tree => {
    rmdirSync(tree);
    symlinkSync(root, tree);
  });
  await made('3'.repeat(64), tree => {
    plain(tree);
    mkdirSync(`${tree}/../y.dist-info`);
  });
  expect(readdirSync(store.described)).toEqual([`sha256-${good} x==1`]);
  const known = join(store.described, `sha256-${good} x==1`);
  expect([readFileSync(known, 'utf8'), statSync(known).nlink]).toEqual(['Name: x', 1]);
  const next = open(directory, 400);
  await expect.poll(() => readdirSync(next.described)).toEqual([`sha256-${good} x==1`]);
  for (let i = 0; i < 5; i++) await add(next, `more ${i}`, { units: 90 });
  expect(existsSync(join(next.layers, layer.name))).toBe(false);
  expect(readdirSync(next.described)).toEqual([]);
});

test('joined layers share their files, which stay what they are, and are counted once', async () => {
  const store = open(fresh(), 200);
  const incoming = store.begin();
  mkdirSync(join(incoming, 'tree'));
  writeFileSync(join(incoming, 'tree/more'), 'more');
  const parts = [await add(store, 'one', { units: 50 }), await add(store, 'two', { units: 50 })];
  utimesSync(join(store.layers, parts[0]!.name), 1, 1);
  const { directory, overhead } = await store.joined(parts, { directory: incoming, bytes: 100 });
  const joined = await store.add(['both'], directory, {
    id: 'both',
    bytes: 1_000_100,
    installed: [],
    parts: parts.map(({ name }) => name),
    overhead,
  });
  const read = (layer: { name: string }, file = 'content') =>
    readFileSync(join(store.layers, layer.name, file), 'utf8');
  expect([read(joined), read(joined, 'more')]).toEqual(['two', 'more']);
  expect(parts.map(part => read(part))).toEqual(['one', 'two']);
  const { nlink } = statSync(join(store.layers, joined.name, 'content'));
  expect(nlink).toBe(2);
  const times = [...parts, joined].map(({ name }) => statSync(join(store.layers, name)).mtimeMs);
  expect(new Set(times).size).toBe(3);
  expect(store.held.bytes).toBeGreaterThan(1_000_100);
  expect(store.held.bytes).toBeLessThan(1_500_000);
  await add(store, 'large', { units: 99.9 });
  expect(store.find('both', 0)).toBeUndefined();
  expect([store.find('one', 0), store.find('two', 0)]).toEqual(parts);
});

test('what takes more room than its bytes say is counted as that, alone and joined', async () => {
  const store = open(fresh(), 100);
  const taken = async (added: () => Promise<unknown>) => {
    const before = store.held.bytes;
    await added();
    return store.held.bytes - before;
  };
  const empty = (key: string) =>
    taken(() => {
      const incoming = store.begin();
      for (let i = 0; i < 200; i++) mkdirSync(join(incoming, `tree/${i}`), { recursive: true });
      return store.add([key], incoming, { id: key, bytes: 0, installed: [] });
    });
  expect(await empty('alone')).toBeGreaterThan(200 * 1024);
  const alone = store.find('alone', 0)!;
  const joined = await taken(async () => {
    const { directory, overhead } = await store.joined([alone], null);
    const what = { id: 'joined', bytes: 0, installed: [], parts: [alone.name], overhead };
    await store.add(['joined'], directory, what);
  });
  expect(joined).toBeGreaterThan(200 * 4096 - 200 * 2048);
  for (let i = 0; i < 5; i++) await empty(`more ${i}`);
  expect(store.held.bytes).toBeLessThan(100 * UNIT);
  expect(store.held.layers).toBeLessThan(4);
});

test('what an install has written is counted, whatever it says of that, alone and joined', async () => {
  const store = open(fresh());
  const part = await add(store, 'part', { units: 1 });
  const untold = async (key: string, parts: (typeof part)[]) => {
    const before = store.held.bytes;
    const incoming = store.begin();
    mkdirSync(join(incoming, 'tree'));
    writeFileSync(join(incoming, 'tree/large'), Buffer.alloc(20 * UNIT));
    const made = { directory: incoming, bytes: 0 };
    const { directory, ...more } = parts.length > 0 ? await store.joined(parts, made) : made;
    await store.add([key], directory, { id: key, bytes: 0, installed: [], ...more });
    return store.held.bytes - before;
  };
  expect(await untold('alone', [])).toBeGreaterThanOrEqual(20 * UNIT);
  expect(await untold('joined', [part])).toBeGreaterThanOrEqual(20 * UNIT);
});

test('no joined layer is larger than one that was not joined may be', async () => {
  const store = open(fresh(), 1e9);
  const part = await add(store, 'part', { units: 60_000 });
  const join = async (bytes: number) => {
    const { directory, overhead } = await store.joined([part], null);
    const what = { id: 'all', bytes, installed: [], parts: [part.name], overhead };
    return store.add(['all'], directory, what);
  };
  await expect(join(LAYER_BOUNDS.bytes + 1)).rejects.toThrow(Unjoinable);
  expect(await join(LAYER_BOUNDS.bytes)).toMatchObject({ id: 'all' });
});

test('no more entries are joined than may be, and a link is joined as a link', async () => {
  const store = open(fresh());
  const [tree, source] = [join(store.begin(), 'tree'), join(store.begin(), 'tree')];
  mkdirSync(tree);
  mkdirSync(join(source, 'within'), { recursive: true });
  writeFileSync(join(source, 'within/file'), '');
  symlinkSync('within', join(source, 'link'));
  const joined = (most: number) =>
    execFileSync(AGENT_FILE, joinWords(most, tree, [source]), { encoding: 'utf8', stdio: 'pipe' });
  expect(() => joined(3)).toThrow('There are more than 3 entries');
  expect(joined(4)).toBe('4 2\n');
  expect(readlinkSync(join(tree, 'link'))).toBe('within');
});

test('what can not be joined leaves nothing', async () => {
  const directory = fresh();
  const store = open(directory);
  const incoming = store.begin();
  mkdirSync(join(incoming, 'tree'));
  symlinkSync(root, join(incoming, 'tree/content'));
  const part = await add(store, 'part');
  rmSync(join(store.layers, part.name, 'content'));
  mkdirSync(join(store.layers, part.name, 'content'));
  writeFileSync(join(store.layers, part.name, 'content/file'), '');
  const before = [readdirSync(root), readdirSync(join(directory, 'incoming'))];
  await expect(store.joined([part], { directory: incoming, bytes: 0 })).rejects.toThrow(Unjoinable);
  expect([readdirSync(root), readdirSync(join(directory, 'incoming'))]).toEqual(before);
});
