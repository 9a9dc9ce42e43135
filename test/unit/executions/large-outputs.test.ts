import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { ExecuteRequest, StatusResponse } from '../../../src/schemas/execution.ts';
import { LIMITS } from '../../../src/schemas/limits.ts';
import type { MemoryFiles } from '../support/memory-files.ts';
import { openHttp } from '../support/open-http.ts';

const MB = 1024 * 1024;
/** Of what results may take, one run's files may take a fourth. */
const STORE_BYTES = 512 * MB;
const DATA = Buffer.alloc(LIMITS.readBytes + 12_345, 'all of the bytes, ');

/** What the programs leave, and what happens to their files meanwhile. */
let leave: (files: MemoryFiles) => void;
const http = await openHttp(
  { CODEBEAKER_API_KEYS: 'alice,bob' },
  {
    settings: { maxStoreBytes: STORE_BYTES },
    script: (_, { sandbox }) => {
      leave(sandbox.files);
      return { code: 0 };
    },
  },
);
afterAll(async () => {
  await http.app.close();
  await rm(http.store.files.directory, { recursive: true, force: true });
});
beforeEach(() => {
  leave = files => void files.contents.set('/workspace/large data.csv', DATA);
});
const owner = createHash('sha256').update('alice').digest('hex');

const run = (outputFiles: string[], request: Partial<ExecuteRequest> = {}) =>
  http.run({ outputFiles, ...request }, { owner });
const ask = (path: string, { key = 'alice', method = 'GET', ...headers }: Record<string, string> = {}) =>
  fetch(`${http.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, 'accept-encoding': 'identity', ...headers },
  });
/** The files of an execution that lie on the disk. */
const kept = (executionId: string) => {
  const directory = `${http.store.files.directory}/${executionId}`;
  return existsSync(directory) ? readdirSync(directory) : [];
};

describe('a file that is too large for a result', () => {
  let once: Promise<StatusResponse> | undefined;
  /** The result of one run that has left it and a small one. */
  const resultOf = () => {
    leave = files => {
      files.contents.set('/workspace/large data.csv', DATA);
      files.contents.set('/workspace/small', Buffer.from('s'));
    };
    once ??= run(['small', 'large data.csv?', 'none', 'none?']);
    return once;
  };

  test('is a link there, and the others are what they were', async () => {
    const result = await resultOf();
    expect(result).toMatchObject({
      outcome: 'ok',
      files: [
        { path: 'small', content: 's', encoding: 'utf8' },
        {
          path: 'large data.csv',
          url: `/api/execution/${result.executionId}/files/1`,
          size: DATA.byteLength,
        },
      ],
      missingFiles: ['none'],
      usage: { limitsHit: [] },
    });
    expect(result.files[1]).not.toHaveProperty('content');
    expect(await (await ask(`/api/execution/${result.executionId}`)).json()).toEqual(result);
  });

  test('is fetched whole, in parts, or not again', async () => {
    const { url = '' } = (await resultOf()).files[1] ?? {};
    const whole = await ask(url);
    expect(Buffer.from(await whole.arrayBuffer()).equals(DATA)).toBe(true);
    expect(Object.fromEntries(whole.headers)).toMatchObject({
      'content-length': String(DATA.byteLength),
      'content-type': 'text/csv; charset=utf-8',
      'content-disposition': "attachment; filename*=UTF-8''large%20data.csv",
      'content-security-policy': expect.stringContaining('sandbox'),
      'accept-ranges': 'bytes',
    });
    const part = await ask(url, { range: `bytes=${DATA.byteLength - 3}-` });
    expect([part.status, await part.text()]).toEqual([206, DATA.subarray(-3).toString()]);
    expect((await ask(url, { range: `bytes=${DATA.byteLength}-` })).status).toBe(416);
    expect((await ask(url, { 'if-none-match': whole.headers.get('etag') ?? '' })).status).toBe(304);
    const head = await ask(url, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(DATA.byteLength)]);
  });

  test('is only for whose result it is', async () => {
    const result = await resultOf();
    const { url = '' } = result.files[1] ?? {};
    const answer = async (path: string, how = {}) => (await ask(path, how)).status;
    expect(await answer(url, { key: 'bob' })).toBe(404);
    expect(await answer(url, { key: 'nobody' })).toBe(401);
    const base = `/api/execution/${result.executionId}/files`;
    // Those are in the result, not there, or no names of files.
    for (const number of ['0', '2', '999', '9999']) expect(await answer(`${base}/${number}`)).toBe(404);
    for (const number of ['01', '-1', 'x', '1.', '..%2f..%2fe.sqlite'])
      expect([400, 404]).toContain(await answer(`${base}/${number}`));
    for (const method of ['PUT', 'DELETE', 'POST']) expect(await answer(url, { method })).toBe(405);
  });
});

test('more than one run may have on the disk is left out, and that is told', async () => {
  const sparse = Buffer.alloc(0);
  Object.defineProperty(sparse, 'byteLength', { value: STORE_BYTES / 4 + 1 });
  leave = files => void files.contents.set('/workspace/large', sparse);
  const result = await run(['large']);
  expect(result).toMatchObject({ files: [], missingFiles: ['large'], usage: { limitsHit: ['output'] } });
  expect(kept(result.executionId)).toEqual([]);
});

test('a file that can’t be read to its end is left out, and nothing of it stays', async () => {
  leave = files => {
    files.contents.set('/workspace/large', DATA);
    let pieces = 0;
    files.beforePiece = async () => {
      if (++pieces === 5) throw new Error('the sandbox has said nonsense');
    };
  };
  const result = await run(['large']);
  expect(result).toMatchObject({ outcome: 'ok', files: [], missingFiles: ['large'] });
  expect(kept(result.executionId)).toEqual([]);
});

test('a result that can’t be kept has no links, and leaves nothing', async () => {
  http.store.beforeFinish = async () => {
    throw new Error('the disk is full');
  };
  const result = await run(['large data.csv', 'large data.csv?']);
  http.store.beforeFinish = async () => {};
  expect(result).toMatchObject({ outcome: 'ok', files: [], missingFiles: ['large data.csv'] });
  expect(kept(result.executionId)).toEqual([]);
});

describe('while large files are copied', () => {
  /** Runs whose copy has begun and goes on when it is told to. */
  async function copying(count: number) {
    const go = Promise.withResolvers<void>();
    const began: Promise<void>[] = [];
    leave = files => {
      const first = Promise.withResolvers<void>();
      began.push(first.promise);
      files.contents.set('/workspace/large', DATA);
      files.beforePiece = () => {
        first.resolve();
        return go.promise;
      };
    };
    const ids = await Promise.all(
      Array.from({ length: count }, () => http.start({ outputFiles: ['large'] }, { owner })),
    );
    await expect.poll(() => began.length, { timeout: 30_000 }).toBe(count);
    await Promise.all(began);
    return { ids, go: () => go.resolve() };
  }

  test('others get their small ones', async () => {
    const { ids, go } = await copying(2);
    leave = files => void files.contents.set('/workspace/small', Buffer.from('s'));
    expect((await run(['small'])).files).toHaveLength(1);
    go();
    for (const id of ids)
      expect((await http.service.executions.wait(id, http.call({ owner }))).files).toMatchObject([
        { size: DATA.byteLength },
      ]);
  });

  test('a run that is cancelled is not waited for', async () => {
    const { ids, go } = await copying(1);
    const cancelled = http.service.executions.cancel(ids[0] ?? '', http.call({ owner }));
    go();
    expect(await cancelled).toMatchObject({ files: [], missingFiles: ['large'] });
    expect(kept(ids[0] ?? '')).toEqual([]);
  });
});
