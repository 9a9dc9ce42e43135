import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { FileRefused } from '../../../src/sandbox.ts';
import { openHttp } from '../support/open-http.ts';
import { metrics } from '../support/open-service.ts';

const KEYS = { CODEBEAKER_API_KEYS: 'alice,bob' };
const http = await openHttp(KEYS);
afterAll(() => http.app.close());
const owner = createHash('sha256').update('alice').digest('hex');

let base: string;
let files: (typeof http.runtime.sandboxes)[number]['files'];
beforeEach(async () => {
  const { id } = await http.session({}, { owner });
  base = `/api/session/${id}/files`;
  files = http.runtime.sandboxes.at(-1)!.files;
});

const DATA = randomBytes(300_000);
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('base64');

async function ask(
  method: string,
  path: string,
  {
    body,
    key = 'alice',
    ...headers
  }: { body?: Uint8Array | string; key?: string } & Record<string, unknown> = {},
) {
  const answer = await fetch(`${http.url}${base}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      'accept-encoding': 'identity',
      ...(headers as Record<string, string>),
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : new Uint8Array(body) }),
  });
  const data = Buffer.from(await answer.arrayBuffer());
  const json = answer.headers.get('content-type')?.includes('json');
  return {
    status: answer.status,
    headers: answer.headers,
    data,
    problem: json && data.byteLength > 0 ? JSON.parse(data.toString()) : {},
  };
}

test('a file goes and comes back byte for byte', async () => {
  expect((await ask('PUT', '/d/f.bin', { body: DATA })).status).toBe(201);
  expect((await ask('PUT', '/d/f.bin', { body: DATA })).status).toBe(204);
  const got = await ask('GET', '/d/f.bin');
  expect([got.status, got.data.equals(DATA), got.headers.get('content-length')]).toEqual([
    200,
    true,
    '300000',
  ]);
  expect((await ask('PUT', '/empty')).status).toBe(201);
  expect((await ask('GET', '/empty')).data.byteLength).toBe(0);
  expect((await ask('DELETE', '/d/f.bin')).status).toBe(204);
  expect((await ask('GET', '/d/f.bin')).problem).toMatchObject({ code: 'NOT_FOUND' });
});

test('HEAD says what there is and brings nothing', async () => {
  await ask('PUT', '/a.txt', { body: 'text' });
  const { status, headers, data } = await ask('HEAD', '/a.txt');
  expect([status, data.byteLength]).toEqual([200, 0]);
  expect(Object.fromEntries(headers)).toMatchObject({
    'content-length': '4',
    'content-type': 'text/plain; charset=utf-8',
    'x-file-mode': '0644',
    'last-modified': expect.stringContaining('GMT'),
    etag: expect.stringMatching(/^".+"$/),
  });
});

test('what is appended comes behind what is there', async () => {
  await ask('PUT', '/f?mode=append', { body: 'one' });
  expect((await ask('PUT', '/f?mode=append', { body: ' two' })).status).toBe(204);
  expect(files.text('/workspace/f')).toBe('one two');
});

test('names are what their percent-escapes say, and never lead out', async () => {
  for (const name of ['a b', 'ä/ö', '100%', 'a?b', 'a#b', '..a', 'a\\xe9', '+', '%41', 'x;y']) {
    const path = name.split('/').map(encodeURIComponent).join('/');
    expect((await ask('PUT', `/${path}`, { body: name })).status, name).toBe(201);
    expect(files.text(`/workspace/${name}`), name).toBe(name);
  }
  for (const path of ['/..%2fx', '/a%2f..%2f..%2fx', '/%2Fetc%2Fpasswd', '/..%2f..%2fx'])
    expect((await ask('PUT', path, { body: 'x' })).problem, path).toMatchObject({
      code: 'VALIDATION_ERROR',
      message: 'path: leaves /workspace',
    });
  expect((await ask('GET', '/%E9')).status).toBe(400);
  expect((await ask('PUT', `/${'x'.repeat(300)}`, { body: 'x' })).problem.message).toMatch(/over 255 bytes/);
  expect((await ask('PUT', '/f/', { body: 'x' })).problem.message).toMatch(/names a directory/);
  expect((await ask('PUT', '/f?mode=truncate', { body: 'x' })).problem.message).toMatch(/^mode: /);
  expect((await ask('GET', '/f?x=1')).problem.message).toMatch(/^x: /);
});

describe('a part of a file', () => {
  test.each<[string, number, number]>([
    ['bytes=0-9', 0, 10],
    ['bytes=10-', 10, 300_000],
    ['bytes=-7', 299_993, 300_000],
    ['bytes=299999-400000', 299_999, 300_000],
  ])('%s is what it names', async (range, from, to) => {
    await ask('PUT', '/f', { body: DATA });
    const { status, headers, data } = await ask('GET', '/f', { range });
    expect([status, data.equals(DATA.subarray(from, to))]).toEqual([206, true]);
    expect(headers.get('content-range')).toBe(`bytes ${from}-${to - 1}/300000`);
  });

  test.each(['bytes=300000-', 'bytes=-0'])('%s is none', async range => {
    await ask('PUT', '/f', { body: DATA });
    const { status, headers } = await ask('GET', '/f', { range });
    expect([status, headers.get('content-range')]).toEqual([416, 'bytes */300000']);
  });

  test.each(['bytes=5-1', 'bytes=-', 'lines=1-2', 'bytes=0-1,4-5'])('%s is left alone', async range => {
    await ask('PUT', '/f', { body: DATA });
    expect((await ask('GET', '/f', { range })).status).toBe(200);
  });

  test('is all of it when the version is another', async () => {
    await ask('PUT', '/f', { body: DATA });
    const etag = (await ask('HEAD', '/f')).headers.get('etag')!;
    expect((await ask('GET', '/f', { range: 'bytes=0-1', 'if-range': etag })).status).toBe(206);
    await ask('PUT', '/f', { body: 'new' });
    expect((await ask('GET', '/f', { range: 'bytes=0-1', 'if-range': etag })).status).toBe(200);
    expect((await ask('GET', '/f', { range: 'bytes=0-1', 'if-range': `W/${etag}` })).status).toBe(200);
  });
});

test('a version that the client has is not sent again', async () => {
  await ask('PUT', '/f', { body: DATA });
  const etag = (await ask('HEAD', '/f')).headers.get('etag')!;
  for (const known of [etag, `"x", W/${etag}`, '*', etag.replace(/"$/, '-gzip"')])
    expect((await ask('GET', '/f', { 'if-none-match': known })).status, known).toBe(304);
  for (const other of ['"x"', etag.replace(/"$/, 'a"'), etag.replace(/^"/, '"a')])
    expect((await ask('GET', '/f', { 'if-none-match': other })).status, other).toBe(200);
});

describe('a digest', () => {
  test.each<[string, (digest: string) => string]>([
    ['content-digest', digest => `sha-256=:${digest}:`],
    ['content-digest', digest => `md5=:AAAA:, sha-256=:${digest}:`],
    ['repr-digest', digest => `sha-256=:${digest}:`],
    ['digest', digest => `SHA-256=${digest}`],
  ])('in %s is checked, and nothing changes when it differs', async (name, spell) => {
    await ask('PUT', '/f', { body: 'old' });
    expect((await ask('PUT', '/f', { body: DATA, [name]: spell(sha256(DATA)) })).status).toBe(204);
    const refused = await ask('PUT', '/f', { body: 'other', [name]: spell(sha256(DATA)) });
    expect(refused).toMatchObject({ status: 409, problem: { code: 'DIGEST_MISMATCH' } });
    expect(files.contents.get('/workspace/f')?.equals(DATA)).toBe(true);
  });

  test('that is none names its header', async () => {
    for (const [name, value] of [
      ['content-digest', 'sha-256=abc'],
      ['digest', 'sha-256=:abc:'],
      ['repr-digest', 'sha-256=:AAAA:'],
    ])
      expect((await ask('PUT', '/f', { body: 'x', [name!]: value })).problem.message).toMatch(
        new RegExp(`^${name}: `),
      );
    expect((await ask('PUT', '/f', { body: 'x', digest: 'md5=abc' })).status).toBe(201);
  });
});

describe('a content coding', () => {
  test.each([
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s is undone, and its digest is of what was sent', async (coding, compress) => {
    const body = compress(DATA);
    const headers = { 'content-encoding': coding, 'content-digest': `sha-256=:${sha256(body)}:` };
    const { status, headers: answer } = await ask('PUT', '/f', { body, ...headers });
    expect([status, answer.get('etag')]).toEqual([201, null]);
    expect(files.contents.get('/workspace/f')?.equals(DATA)).toBe(true);
    const text = await metrics.registry.metrics();
    const seconds = `codebeaker_coding_seconds_total{coding="${coding}",direction="decode"}`;
    expect(text).toMatch(new RegExp(`^${seconds} (?!0$)`, 'm'));
    for (const broken of [body.subarray(0, 1000), Buffer.from('no such thing, but long enough to be read')])
      expect((await ask('PUT', '/f', { body: broken, 'content-encoding': coding })).problem).toMatchObject({
        code: 'VALIDATION_ERROR',
        message: `content-encoding: what came is not ${coding}`,
      });
    expect(files.contents.get('/workspace/f')?.equals(DATA)).toBe(true);
  });

  test('that is not read here is refused', async () => {
    expect(await ask('PUT', '/f', { body: 'x', 'content-encoding': 'gzip, br' })).toMatchObject({
      status: 415,
    });
  });

  test('of what is sent is the one the client likes, of texts and whole files only', async () => {
    const text = Buffer.from('a line like every other\n'.repeat(5000));
    await ask('PUT', '/f.txt', { body: text });
    await ask('PUT', '/f.png', { body: text });
    // fetch would undo it.
    const raw = async (path: string, headers: Record<string, string>) => {
      const asked = get(`${http.url}${base}${path}`, { headers: { 'x-api-key': 'alice', ...headers } });
      const [answer] = (await once(asked, 'response')) as [IncomingMessage];
      const { 'content-encoding': coding, etag } = answer.headers;
      return { coding, etag, body: await buffer(answer) };
    };
    for (const [accepted, coding, undo] of [
      ['gzip, deflate, br, zstd', 'zstd', zstdDecompressSync],
      ['br;q=0.5, gzip;q=0.8', 'gzip', gunzipSync],
      ['*;q=0.1, zstd;q=0', 'br', brotliDecompressSync],
    ] as const) {
      const { coding: got, body, etag } = await raw('/f.txt', { 'accept-encoding': accepted });
      expect([got, undo(body).equals(text), etag]).toEqual([
        coding,
        true,
        expect.stringMatching(new RegExp(`-${coding}"$`)),
      ]);
    }
    expect((await raw('/f.png', { 'accept-encoding': 'gzip' })).coding).toBeUndefined();
    expect((await raw('/f.txt', { 'accept-encoding': 'gzip;q=0, identity' })).coding).toBeUndefined();
    expect(
      (await raw('/f.txt', { 'accept-encoding': 'gzip', range: 'bytes=0-5000' })).coding,
    ).toBeUndefined();
  });
});

test('what comes behind the end of a gzip stream is nothing', async () => {
  const body = Buffer.concat([gzipSync(DATA), Buffer.alloc(70_000)]);
  expect((await ask('PUT', '/f', { body, 'content-encoding': 'gzip' })).status).toBe(201);
  expect(files.contents.get('/workspace/f')?.equals(DATA)).toBe(true);
});

describe('an upload by parts', () => {
  const part = (first: number, end: number, more: object = {}) =>
    ask('PUT', '/f', {
      body: DATA.subarray(first, end),
      'content-range': `bytes ${first}-${end - 1}/300000`,
      ...more,
    });
  const offset = async () => {
    const { status, headers } = await ask('PUT', '/f', { 'content-range': 'bytes */300000' });
    return [status, headers.get('upload-offset')];
  };

  test('shows nothing before its last part', async () => {
    await ask('PUT', '/f', { body: 'old' });
    const first = await part(0, 100_000);
    expect([first.status, first.headers.get('upload-offset')]).toEqual([202, '100000']);
    expect(await offset()).toEqual([202, '100000']);
    expect(files.text('/workspace/f')).toBe('old');
    expect((await part(100_000, 299_999)).status).toBe(202);
    const digest = `sha-256=:${sha256(DATA)}:`;
    expect((await part(299_999, 300_000, { 'repr-digest': digest })).status).toBe(204);
    expect(files.contents.get('/workspace/f')?.equals(DATA)).toBe(true);
    expect(await offset()).toEqual([202, '0']);
  });

  test('goes on where a cut connection has left it, fifty times', async () => {
    let at = 0;
    for (let cuts = 0; cuts < 50; cuts++) {
      const bytes = 1 + ((cuts * 7919) % 5500);
      await http.cutAfter(
        `${base}/f`,
        {
          authorization: 'Bearer alice',
          'content-range': `bytes ${at}-299999/300000`,
          'content-length': String(300_000 - at),
        },
        DATA.subarray(at, at + bytes),
      );
      // The server may learn of the cut later than this client.
      await vi.waitFor(async () => expect(await offset()).toEqual([202, String(at + bytes)]), {
        timeout: 15_000,
        interval: 2,
      });
      at += bytes;
    }
    expect((await part(at, 300_000, { digest: `sha-256=${sha256(DATA)}` })).status).toBe(201);
    expect(files.contents.get('/workspace/f')?.equals(DATA)).toBe(true);
  });

  test('that begins elsewhere, or is of another file, is refused with how much is there', async () => {
    await part(0, 1000);
    for (const refused of [await part(2000, 3000), await part(500, 3000)])
      expect([refused.status, refused.headers.get('upload-offset'), refused.problem.message]).toEqual([
        416,
        '1000',
        'content-range: 1000 of 300000 bytes are there',
      ]);
    const other = await ask('PUT', '/f', { body: 'x', 'content-range': 'bytes 1000-1000/1001' });
    expect([other.status, other.headers.get('upload-offset')]).toEqual([416, '0']);
    expect((await ask('PUT', '/g', { body: 'x', 'content-range': 'bytes 1-1/2' })).status).toBe(416);
  });

  test('is given up by a part that is not what it says', async () => {
    await part(0, 1000);
    const refused = await part(1000, 2000, { 'content-digest': `sha-256=:${sha256(DATA)}:` });
    expect(refused.problem).toMatchObject({ code: 'DIGEST_MISMATCH' });
    expect(await offset()).toEqual([202, '0']);
    await part(0, 1000);
    expect((await part(0, 500)).headers.get('upload-offset')).toBe('500');
  });

  test.each<[string, RegExp]>([
    ['bytes 5-4/10', /^content-range: ends before/],
    ['bytes 0-10/10', /^content-range: ends beyond/],
    ['bytes 0-9/*', /^content-range: is not/],
    ['bytes 0-0/9007199254740993', /^content-range: ends beyond/],
    ['lines 0-9/10', /^content-range: is not/],
    ['bytes 0-8/10', /^content-range: has 9 bytes, and the body 10$/],
  ])('of %s is refused', async (range, message) => {
    expect((await ask('PUT', '/f', { body: '0123456789', 'content-range': range })).problem.message).toMatch(
      message,
    );
  });

  test('does not go with what it can’t', async () => {
    const headers = { body: 'x', 'content-range': 'bytes 0-0/1' };
    expect((await ask('PUT', '/f?mode=append', headers)).problem.message).toMatch(/mode=append/);
    expect((await ask('PUT', '/f', { ...headers, 'content-encoding': 'gzip' })).problem.message).toMatch(
      /^content-encoding/,
    );
  });
});

test('a whole upload that is cut leaves everything as it was', async () => {
  await ask('PUT', '/f', { body: 'old' });
  await http.cutAfter(
    `${base}/f`,
    { authorization: 'Bearer alice', 'content-length': '300000' },
    DATA.subarray(0, 1000),
  );
  expect(files.text('/workspace/f')).toBe('old');
  expect((await ask('PUT', '/f', { 'content-range': 'bytes */300000' })).headers.get('upload-offset')).toBe(
    '0',
  );
});

test('no browser runs what a stranger wrote', async () => {
  for (const name of [
    'page.html',
    'x.svg',
    'x.xml',
    'x.js',
    'x.mjs',
    'x.css',
    'x.wasm',
    'x.pdf',
    'x.xhtml',
    'noending',
  ]) {
    await ask('PUT', `/${name}`, { body: '<script>alert(1)</script>' });
    const { headers } = await ask('GET', `/${name}`);
    expect(headers.get('content-type'), name).toBe('application/octet-stream');
    expect(headers.get('content-disposition'), name).toBe(`attachment; filename="${name}"`);
    expect(headers.get('content-security-policy'), name).toMatch(/^sandbox;/);
    expect(headers.get('x-content-type-options'), name).toBe('nosniff');
    expect(headers.get('cross-origin-resource-policy'), name).toBe('same-origin');
  }
  const name = 'a"; filename=x.html\r\nX: y';
  files.contents.set(`/workspace/${name}`, Buffer.from(''));
  const { headers } = await ask('HEAD', `/${encodeURIComponent(name)}`);
  expect(headers.get('content-disposition')).toBe(
    "attachment; filename*=UTF-8''a%22%3B%20filename%3Dx.html%0D%0AX%3A%20y",
  );
});

test('files are their session’s owner’s, whose key comes in a header', async () => {
  await ask('PUT', '/f', { body: 'secret' });
  for (const method of ['GET', 'HEAD', 'PUT', 'DELETE']) {
    const body = method === 'PUT' ? { body: 'x' } : {};
    expect((await ask(method, '/f', { key: 'bob', ...body })).status, method).toBe(404);
    expect((await ask(method, '/f', { key: 'nobody', ...body })).status, method).toBe(401);
  }
  expect((await fetch(`${http.url}${base}/f?key=alice`)).status).toBe(401);
  expect(files.text('/workspace/f')).toBe('secret');
});

test('what a sandbox refuses has its own status', async () => {
  await ask('PUT', '/d/f', { body: 'x' });
  expect(await ask('PUT', '/d', { body: 'x' })).toMatchObject({ status: 409, problem: { code: 'CONFLICT' } });
  expect(await ask('DELETE', '/d')).toMatchObject({ status: 409, problem: { code: 'CONFLICT' } });
  files.refusal = new FileRefused('No space left in the sandbox: /workspace/f', 'full');
  expect(await ask('PUT', '/f', { body: 'x' })).toMatchObject({
    status: 507,
    problem: { code: 'DISK_FULL' },
  });
  files.refusal = undefined;
  expect((await ask('DELETE', '/d?recursive=true')).status).toBe(204);
  for (const mode of ['9', '4755', '0x1ff', 'rwx'])
    expect((await ask('PUT', '/f', { body: 'x', 'x-file-mode': mode })).problem.message).toMatch(
      /^x-file-mode: /,
    );
});
