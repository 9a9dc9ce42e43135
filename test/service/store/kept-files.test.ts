import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileRefused, type FileSource } from '../../../src/sandbox.ts';
import { ExecutionStore } from '../../../src/service/store/execution-store.ts';
import { KeptFiles } from '../../../src/service/store/kept-files.ts';
import { madeExecution } from './made-execution.ts';

const MB = 1024 * 1024;
const NEVER = new AbortController().signal;
let directory: string;
let files: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'store-'));
  files = join(directory, 'output-files');
});
afterEach(() => rm(directory, { recursive: true }));

const open = (bytes = 1 << 30, executions = 1000) =>
  ExecutionStore.open(join(directory, 'e.sqlite'), { hours: 1, executions, bytes });

/** A file that comes in pieces; `whole`: it does not end early. */
const sourceOf = (data: Buffer, { pieces = 4, whole = true } = {}): FileSource => ({
  status: { type: 'file', mode: 0o600, size: data.byteLength, modifiedAt: 0, version: 'v' },
  async *read() {
    const length = Math.ceil(data.byteLength / pieces);
    for (let i = 0; i < (whole ? pieces : pieces - 1); i++) yield data.subarray(i * length, (i + 1) * length);
  },
  close() {},
});

/** Ends an execution of an owner that has left a file of so many bytes. */
async function finish(store: ExecutionStore, owner: string, bytes: number): Promise<string> {
  const { status } = madeExecution();
  const id = status.executionId;
  await store.files.write(id, 0, sourceOf(Buffer.alloc(bytes, 'x')), NEVER);
  await store.finish({ owner, status, events: [], filesBytes: bytes });
  // It makes room once it has answered, and before it answers anything else.
  await store.get('of nobody');
  return id;
}

test('a file is read as it was written, or a part of it, and only its user may enter where it lies', async () => {
  const kept = new KeptFiles(files);
  const data = Buffer.from(Array.from({ length: MB + 7 }, (_, i) => i % 251));
  await kept.write('id', 3, sourceOf(data), NEVER);
  const source = await kept.open('id', 3, data.byteLength);
  expect(source.status).toMatchObject({ type: 'file', size: data.byteLength });
  // Its memory is used again.
  const read = async (offset: number, length: number) => {
    const parts: Buffer[] = [];
    for await (const piece of source.read(offset, length)) parts.push(Buffer.from(piece));
    return Buffer.concat(parts);
  };
  expect((await read(0, data.byteLength)).equals(data)).toBe(true);
  expect((await read(300_000, 5)).equals(data.subarray(300_000, 300_005))).toBe(true);
  expect((await read(0, 0)).byteLength).toBe(0);
  source.close();
  expect([statSync(files).mode & 0o777, statSync(join(files, 'id', '3')).mode & 0o777]).toEqual([
    0o700, 0o600,
  ]);
  await expect(kept.open('id', 4, data.byteLength)).rejects.toMatchObject({ reason: 'missing' });
});

test('a file that is going, or was not written to its end before the power was lost, is gone', async () => {
  const kept = new KeptFiles(files);
  await kept.write('id', 0, sourceOf(Buffer.alloc(MB)), NEVER);
  truncateSync(join(files, 'id', '0'));
  await expect(kept.open('id', 0, MB)).rejects.toMatchObject({ reason: 'missing' });
});

test('nothing is left of what ended early, of what failed, or of what was given up', async () => {
  const kept = new KeptFiles(files);
  const given = new AbortController();
  const gaveUp: FileSource = {
    ...sourceOf(Buffer.alloc(MB)),
    async *read() {
      given.abort();
      yield Buffer.alloc(MB);
    },
  };
  const failed: FileSource = {
    ...sourceOf(Buffer.alloc(MB)),
    // biome-ignore lint/correctness/useYield: it fails before it has anything.
    async *read() {
      throw new FileRefused('It has become shorter');
    },
  };
  const early = sourceOf(Buffer.alloc(MB), { whole: false });
  await expect(kept.write('early', 0, early, NEVER)).rejects.toThrow('to its end');
  await expect(kept.write('failed', 0, failed, NEVER)).rejects.toThrow('shorter');
  await expect(kept.write('given', 0, gaveUp, given.signal)).rejects.toThrow('to its end');
  expect(readdirSync(files)).toEqual([]);
});

test('a disk that has no room is left as it is', async () => {
  mkdirSync(files);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', files]).status).toBe(0);
  try {
    const kept = new KeptFiles(files);
    const refused = kept.write('id', 0, sourceOf(Buffer.alloc(MB)), NEVER);
    await expect(refused).rejects.toMatchObject({ name: 'FileRefused', reason: 'full' });
    expect(readdirSync(files)).toEqual([]);
  } finally {
    spawnSync('umount', [files]);
  }
});

test('two that are written at once have not the same room', async () => {
  mkdirSync(files);
  expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=262m', 'tmpfs', files]).status).toBe(0);
  try {
    const kept = new KeptFiles(files);
    const data = Buffer.alloc(4 * MB);
    const begun = Promise.withResolvers<void>();
    const go = Promise.withResolvers<void>();
    const slow: FileSource = {
      ...sourceOf(data),
      async *read() {
        begun.resolve();
        await go.promise;
        yield data;
      },
    };
    const first = kept.write('first', 0, slow, NEVER);
    await begun.promise;
    await expect(kept.write('second', 0, sourceOf(data), NEVER)).rejects.toMatchObject({ reason: 'full' });
    go.resolve();
    await first;
    expect(readdirSync(files)).toEqual(['first']);
    await kept.remove('first');
    await kept.write('third', 0, sourceOf(data), NEVER);
  } finally {
    spawnSync('umount', [files]);
  }
});

test('files count against what results may take, and go with the oldest of whoever has most', async () => {
  const store = await open(40 * MB);
  const little = await finish(store, 'other', MB);
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) ids.push(await finish(store, 'owner', 10 * MB));
  const there = ids.map(id => existsSync(join(files, id)));
  expect(there).toEqual([false, false, false, true, true, true]);
  expect((await Promise.all(ids.map(id => store.get(id)))).map(row => row !== null)).toEqual(there);
  expect(existsSync(join(files, little))).toBe(true);
  await store.close();
});

test('who reads a file whose result goes is cut off, and its room is free at once', async () => {
  const store = await open(1 << 30, 1);
  const old = await finish(store, 'owner', 8 * MB);
  const source = await store.files.open(old, 0, 8 * MB);
  const reading = source.read(0, 8 * MB)[Symbol.asyncIterator]();
  expect((await reading.next()).done).toBe(false);
  await finish(store, 'owner', MB);
  // A start removes what is over the number.
  await store.close();
  const next = await open(1 << 30, 1);
  expect(readdirSync(files)).toHaveLength(1);
  const rest = buffer({ [Symbol.asyncIterator]: () => reading } as never);
  await expect(rest).rejects.toMatchObject({ reason: 'missing' });
  source.close();
  await next.close();
});

test('a start removes what no result has: of runs that a server left unfinished, and where the database is gone', async () => {
  const first = await open();
  const id = await finish(first, 'owner', MB);
  const { status } = madeExecution();
  await first.insert({ owner: 'owner', status, events: [] });
  await first.files.write(status.executionId, 0, sourceOf(Buffer.alloc(MB)), NEVER);
  await first.close();
  const second = await open();
  expect(readdirSync(files)).toEqual([id]);
  await second.close();
  await rm(join(directory, 'e.sqlite'));
  await (await open()).close();
  expect(readdirSync(files)).toEqual([]);
});

test('what files take is counted on by the next server', async () => {
  const first = await open();
  const old = await finish(first, 'owner', 10 * MB);
  await first.close();
  const next = await open(12 * MB);
  await finish(next, 'owner', 10 * MB);
  expect(existsSync(join(files, old))).toBe(false);
  await next.close();
});
