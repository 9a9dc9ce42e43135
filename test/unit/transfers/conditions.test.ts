import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openHttp } from '../support/open-http.ts';

/** Requests that hold only for a version of a file. */
const http = await openHttp({});
afterAll(() => http.app.close());

let base: string;
let files: (typeof http.runtime.sandboxes)[number]['files'];
let etag: string;
beforeEach(async () => {
  const { id } = await http.session();
  base = `${http.url}/api/session/${id}/files`;
  files = http.runtime.sandboxes.at(-1)!.files;
  await files.write('/workspace/f', Buffer.from('old'));
  etag = (await ask('HEAD', '/f')).headers.get('etag')!;
});

async function ask(method: string, path: string, headers: Record<string, string> = {}, body?: string) {
  const answer = await fetch(`${base}${path}`, { method, headers, ...(body !== undefined && { body }) });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, text };
}
const put = (path: string, headers: Record<string, string>, body = 'new') => ask('PUT', path, headers, body);

describe('a writer', () => {
  test('changes the version that it names, and no other', async () => {
    expect((await put('/f', { 'if-match': `"other", ${etag}` })).status).toBe(204);
    const late = await put('/f', { 'if-match': etag }, 'lost');
    expect([late.status, JSON.parse(late.text)]).toMatchObject([412, { code: 'PRECONDITION_FAILED' }]);
    expect((await ask('DELETE', '/f', { 'if-match': etag })).status).toBe(412);
    expect(files.text('/workspace/f')).toBe('new');
    const now = (await ask('GET', '/f')).headers.get('etag')!;
    expect((await put('/f?mode=append', { 'if-match': now }, 'er')).status).toBe(204);
    expect(files.text('/workspace/f')).toBe('newer');
    expect((await ask('DELETE', '/f', { 'if-match': '*' })).status).toBe(204);
    expect(files.contents.has('/workspace/f')).toBe(false);
  });

  test('names the version however it was coded on its way', async () => {
    await files.write('/workspace/t.txt', Buffer.alloc(5000, 'a'));
    const coded = (await ask('GET', '/t.txt', { 'accept-encoding': 'zstd' })).headers.get('etag')!;
    expect(coded).toMatch(/-zstd"$/);
    expect((await put('/t.txt', { 'if-match': coded })).status).toBe(204);
  });

  test('makes only what is new, or changes only what is there', async () => {
    expect((await put('/f', { 'if-none-match': '*' })).status).toBe(412);
    expect((await put('/n', { 'if-match': '*' })).status).toBe(412);
    expect((await put('/n', { 'if-match': etag })).status).toBe(412);
    expect((await put('/n', { 'if-none-match': '*' })).status).toBe(201);
    expect((await put('/f', { 'if-match': '*' })).status).toBe(204);
  });

  test('says so with the first part of a file, which holds until the last', async () => {
    const part = (range: string, body: string, more = {}) =>
      put('/f', { 'content-range': range, ...more }, body);
    expect((await part('bytes 0-1/4', 'ab', { 'if-match': '"other"' })).status).toBe(412);
    expect((await part('bytes 0-1/4', 'ab', { 'if-match': etag })).status).toBe(202);
    const refused = await part('bytes 2-3/4', 'cd', { 'if-match': etag });
    expect([refused.status, JSON.parse(refused.text).message]).toEqual([
      400,
      'if-match: comes with the first part, and holds for the last as well',
    ]);
    await files.write('/workspace/f', Buffer.from('by another'));
    expect((await part('bytes 2-3/4', 'cd')).status).toBe(412);
    expect(files.text('/workspace/f')).toBe('by another');
  });

  test.each([
    [{ 'if-match': 'abc' }, 'if-match: is neither * nor a list of ETags'],
    [{ 'if-match': '"a"', 'if-none-match': '*' }, 'if-match: does not go with if-none-match'],
    [{ 'if-none-match': '"a"' }, 'if-none-match: can only be * where a file is changed'],
    [{ 'if-match': '"a",'.repeat(17) }, 'if-match: names more than 16 versions'],
    [
      { 'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:37 GMT' },
      'if-unmodified-since: names a second, within which a file may change twice; If-Match names a version',
    ],
  ])('is told what it can’t be held to: %j', async (headers, message) => {
    const { status, text } = await put('/f', headers);
    expect([status, JSON.parse(text).message]).toEqual([400, message]);
    expect(files.text('/workspace/f')).toBe('old');
  });
});

test('what is unpacked is held to no time either', async () => {
  const headers = {
    'content-type': 'application/x-tar',
    'if-unmodified-since': 'Sun, 06 Nov 1994 08:49:37 GMT',
  };
  const { status, text } = await put('/d', headers);
  expect([status, JSON.parse(text).message]).toEqual([
    400,
    'if-unmodified-since: does not go with application/x-tar, which is unpacked',
  ]);
});

test('a reader gets the version that it names, and no other', async () => {
  expect((await ask('GET', '/f', { 'if-match': etag })).text).toBe('old');
  expect((await ask('GET', '/f', { 'if-match': '*' })).status).toBe(200);
  // Those that are weak are no versions.
  for (const tags of ['"other"', `W/${etag}`]) {
    expect((await ask('GET', '/f', { 'if-match': tags })).status).toBe(412);
    expect((await ask('HEAD', '/f', { 'if-match': tags })).status).toBe(412);
  }
  expect((await ask('GET', '/f', { 'if-match': etag, 'if-none-match': etag })).status).toBe(304);
});
