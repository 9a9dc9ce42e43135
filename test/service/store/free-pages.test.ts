import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ExecutionStore } from '../../../src/service/store/execution-store.ts';
import { madeExecution } from './made-execution.ts';

/** Removed results give their room on the disk back, but for what the next ones take. */
const MB = 1024 * 1024;
let file: string;
beforeEach(async () => {
  file = join(await mkdtemp(join(tmpdir(), 'store-')), 'e.sqlite');
});
afterEach(() => rm(join(file, '..'), { recursive: true }));

const open = (executions: number) => ExecutionStore.open(file, { hours: 1, executions, bytes: 1 << 28 });
const result = () => ({
  owner: null,
  status: { ...madeExecution().status, stdout: 'x'.repeat(5 * MB) },
  events: [],
});

/** As files were before pages could be moved. */
function makeOlder(): void {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA auto_vacuum = NONE; VACUUM');
  db.close();
}

test.for(['this', 'an earlier'])(
  'a file of %s version becomes smaller once results are removed',
  async which => {
    const before = await open(100);
    const results = Array.from({ length: 6 }, result);
    for (const each of results) await before.finish(each);
    await before.close();
    if (which === 'an earlier') makeOlder();
    expect(statSync(file).size).toBeGreaterThan(29 * MB);
    const after = await open(1);
    const [first, last] = [results[0]!.status.executionId, results[5]!.status.executionId];
    expect(await after.get(first)).toBeNull();
    expect((await after.get(last))?.status.stdout).toHaveLength(5 * MB);
    await after.close();
    expect(statSync(file).size).toBeLessThan(22 * MB);
  },
);
