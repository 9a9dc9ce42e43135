import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExecutionDatabase } from '../../../src/service/store/execution-database.ts';
import { rowOf } from '../../../src/service/store/row.ts';
import { madeExecution } from './made-execution.ts';

/** What becomes of files beside the database when something went wrong. */
const HOUR_MS = 3_600_000;
const MB = 1024 * 1024;
let directory: string;
let files: string;
let database: ExecutionDatabase;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'store-'));
  files = join(directory, 'output-files');
  database = new ExecutionDatabase(
    join(directory, 'e.sqlite'),
    { hours: 1, executions: 1000, bytes: 8 * MB },
    files,
  );
});
afterEach(() => {
  database.close();
  rmSync(directory, { recursive: true });
});

/** A directory with a file, as old as that. */
function left(id: string, ageMs: number): void {
  mkdirSync(join(files, id), { recursive: true });
  writeFileSync(join(files, id, '0'), 'x');
  const at = new Date(Date.now() - ageMs);
  utimesSync(join(files, id), at, at);
}

/** An execution in the database, which says that it has files of so many bytes. */
function put(filesBytes: number, finished = true): string {
  const { status } = madeExecution();
  database.put(rowOf({ owner: null, status, events: [], filesBytes }), finished);
  return status.executionId;
}

test('a running server removes those that are no run’s, and none that may still be written', () => {
  const [known, running] = [put(1), put(0, false)];
  for (const id of [known, running, 'old']) left(id, 2 * HOUR_MS);
  left('new', 0);
  database.sweep(HOUR_MS);
  expect(readdirSync(files).sort()).toEqual([known, running, 'new'].sort());
});

test('one that can’t be removed keeps no others, nor is it counted on', () => {
  const stuck = put(5 * MB);
  mkdirSync(join(files, stuck, '0'), { recursive: true });
  const other = put(5 * MB);
  left(other, 0);
  const small = put(0);
  database.tidy();
  const newest = put(0);
  database.tidy();
  expect(readdirSync(files).sort()).toEqual([stuck, other].sort());
  expect([stuck, other, small, newest].map(id => database.get(id) !== null)).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
