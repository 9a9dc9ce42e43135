import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { StatusResponse } from '../../../src/schemas/execution.ts';
import { ExecutionStore } from '../../../src/service/store/execution-store.ts';
import { madeExecution } from './made-execution.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'store-'));
});
afterEach(() => rm(dir, { recursive: true }));

const USUAL = { hours: 1, executions: 100, bytes: 1 << 30 };
const open = (retention = {}) => ExecutionStore.open(join(dir, 'e.sqlite'), { ...USUAL, ...retention });
const made = (over: Partial<StatusResponse> = {}) => ({
  ...madeExecution().status,
  ...over,
});

describe('the execution store', () => {
  it('keeps a result over a restart', async () => {
    const status = made();
    const first = await open();
    await first.insert({ owner: 'k', status, events: [], note: 'n' });
    const done = { ...status, status: 'completed', stdout: 'é\u2028' } as const;
    await first.finish({ owner: 'k', status: done, events: [], note: 'n' });
    await first.close();
    const second = await open();
    expect(await second.get(status.executionId)).toEqual({ owner: 'k', status: done, events: [], note: 'n' });
    await second.close();
  });

  it('ends what an earlier server left unfinished', async () => {
    const status = made({ status: 'running' });
    const first = await open();
    await first.insert({ owner: null, status, events: [] });
    await first.close();
    const second = await open();
    const kept = await second.get(status.executionId);
    await second.close();
    expect(kept?.status).toMatchObject({
      status: 'failed',
      outcome: 'sandbox_lost',
      errorType: 'internal_error',
    });
    expect(kept?.status.completedAt).toMatch(/Z$/);
    expect(kept?.events.at(-1)?.method).toBe('execution.completed');
  });

  it('forgets by age and by count', async () => {
    const first = await open();
    const old = made({ createdAt: new Date(Date.now() - 2 * 3_600_000).toISOString() });
    const many = Array.from({ length: 5 }, () => made());
    for (const status of [old, ...many]) {
      await first.insert({ owner: null, status, events: [] });
      await first.finish({ owner: null, status, events: [] });
    }
    await first.close();
    const second = await open({ executions: 3 });
    const kept = await Promise.all([old, ...many].map(status => second.get(status.executionId)));
    await second.close();
    expect(kept.map(execution => execution !== null)).toEqual([false, false, false, true, true, true]);
  });

  it('forgets the oldest when what is kept is too large, at once, and never the newest', async () => {
    const bytes = 10 << 20;
    const store = await open({ bytes });
    const ids: string[] = [];
    for (let i = 0; i < 40; i++) {
      const status = made({ stdout: 'x'.repeat(1 << 20) });
      ids.push(status.executionId);
      await store.finish({ owner: null, status, events: [] });
    }
    const kept = await Promise.all(ids.map(id => store.get(id)));
    await store.close();
    const firstKept = kept.findIndex(execution => execution !== null);
    expect(firstKept).toBeGreaterThan(28);
    expect(kept.slice(firstKept)).not.toContain(null);
    expect(statSync(join(dir, 'e.sqlite')).size).toBeLessThan(2 * bytes);
  });

  it('keeps the newest, though it is too large by itself', async () => {
    const store = await open({ bytes: 1 });
    const [older, newest] = [made(), made({ stdout: 'x'.repeat(1 << 20) })];
    for (const status of [older, newest]) await store.finish({ owner: null, status, events: [] });
    const kept = await Promise.all([older, newest].map(status => store.get(status.executionId)));
    await store.close();
    expect(kept.map(execution => execution !== null)).toEqual([false, true]);
  });

  it.each([
    ['large ones', { bytes: 10 << 20 }, 'x'.repeat(1 << 20), 40],
    ['many', { executions: 60 }, 'x', 200],
  ] as const)(
    'forgets those of who has most: %s of one push out no other’s',
    async (_, bound, stdout, count) => {
      let store = await open(bound);
      const keep = async (owner: string, text: string) => {
        const status = made({ stdout: text });
        await store.finish({ owner, status, events: [] });
        return status.executionId;
      };
      const small = [await keep('a', 'mine'), await keep('c', 'mine')];
      const large: string[] = [];
      for (let i = 0; i < count; i++) large.push(await keep('b', stdout));
      await store.close();
      // What is too many is looked for at the start, and each minute.
      store = await open(bound);
      const there = async (ids: string[]) =>
        (await Promise.all(ids.map(id => store.get(id)))).map(execution => execution !== null);
      expect(await there(small)).toEqual([true, true]);
      const kept = await there(large);
      expect(kept.filter(Boolean).length).toBeLessThan(count / 2);
      expect(kept.at(-1)).toBe(true);
      await store.close();
    },
  );

  it('goes on with a file of an earlier version', async () => {
    const db = new DatabaseSync(join(dir, 'e.sqlite'));
    db.exec(`CREATE TABLE executions (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, owner TEXT,
      createdAt INTEGER NOT NULL, finished INTEGER NOT NULL, status TEXT NOT NULL, events TEXT NOT NULL) STRICT`);
    const status = made({ stdout: 'old' });
    db.prepare('INSERT INTO executions VALUES (1, ?, NULL, ?, 1, ?, ?)').run(
      status.executionId,
      Date.now(),
      JSON.stringify(status),
      '[]',
    );
    db.close();
    const store = await open();
    expect((await store.get(status.executionId))?.status.stdout).toBe('old');
    const more = made();
    await store.finish({ owner: null, status: more, events: [] });
    expect(await store.get(more.executionId)).not.toBe(null);
    await store.close();
  });

  it('says why it cannot be opened', async () => {
    await expect(ExecutionStore.open(join(dir, 'no', 'such', 'e.sqlite'), USUAL)).rejects.toThrow(
      /unable to open/,
    );
  });
});
