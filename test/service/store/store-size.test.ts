import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExecutionStore } from '../../../src/service/store/execution-store.ts';
import { madeExecution } from './made-execution.ts';

const MB = 1024 * 1024;
let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'store-')), 'e.sqlite');
});
afterEach(() => rm(join(file, '..'), { recursive: true }));

const open = (bytes: number) => ExecutionStore.open(file, { hours: 1, executions: 1000, bytes });
const sizeOf = (suffix: string) => (existsSync(file + suffix) ? statSync(file + suffix).size : 0);
/** The store cuts its files once it has answered, and before it answers anything else. */
const kept = async (store: ExecutionStore, stdout: string) => {
  await store.finish(result(stdout));
  await store.get('of nobody');
};
const result = (stdout: string) => ({
  owner: null,
  status: { ...madeExecution().status, stdout },
  events: [],
});

test('the write-ahead log does not stay as large as the largest result, nor grow with their number', async () => {
  const store = await open(1 << 30);
  const logs: number[] = [];
  for (const megabytes of [20, 0.01, 3, 3, 3]) {
    await kept(store, 'x'.repeat(megabytes * MB));
    logs.push(sizeOf('-wal'));
  }
  await store.close();
  expect(Math.max(...logs)).toBeLessThan(6 * MB);
});

test('the bound holds for all files of the store together', async () => {
  const bytes = 12 * MB;
  const store = await open(bytes);
  for (let i = 0; i < 12; i++) {
    await kept(store, 'x'.repeat(3 * MB));
    // One result more while it takes the place of older ones.
    expect(sizeOf('') + sizeOf('-wal')).toBeLessThan(bytes + 8 * MB);
  }
  await store.close();
});

test('a reader that holds the database open keeps no result out, and the log is cut back after it', async () => {
  const store = await open(1 << 30);
  await store.finish(result('x'));
  const reader = new DatabaseSync(file);
  reader.exec('BEGIN; SELECT count(*) FROM executions');
  await kept(store, 'x'.repeat(8 * MB));
  expect(sizeOf('-wal')).toBeGreaterThan(8 * MB);
  reader.close();
  await kept(store, 'x');
  expect(sizeOf('-wal')).toBeLessThan(6 * MB);
  await store.close();
});

test('a size is counted in bytes, whatever the characters', async () => {
  const store = await open(1 << 30);
  await store.finish(result('日'.repeat(1000)));
  await store.close();
  const db = new DatabaseSync(file);
  expect(db.prepare('SELECT bytes FROM executions').get()).toMatchObject({ bytes: expect.any(Number) });
  expect((db.prepare('SELECT bytes FROM executions').get() as { bytes: number }).bytes).toBeGreaterThan(
    3000 + 512,
  );
  db.close();
});
