import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { AskedPages } from '../../src/packages/registry/asked-pages.ts';
import { KeptPages } from '../../src/packages/registry/kept-pages.ts';
import { TooLarge, Unreachable } from '../../src/packages/registry/upstream.ts';

const root = mkdtempSync(join(tmpdir(), 'codebeaker-pages-'));
const asked: string[] = [];
const index = createServer(({ url = '', headers }, response) => {
  asked.push(url);
  if (url.endsWith('absent')) response.statusCode = 404;
  if (url.endsWith('broken')) response.statusCode = 500;
  if (url.endsWith('new')) response.setHeader('cache-control', 'no-cache');
  if (url.endsWith('old')) response.setHeader('cache-control', 'public, max-age=0');
  response.setHeader('content-type', `text/${headers.accept}`);
  response.end(`page ${asked.length}`);
}).listen(0, '127.0.0.1');
await once(index, 'listening');
const url = `http://127.0.0.1:${(index.address() as AddressInfo).port}/base/`;
new KeptPages({ npm: { url, authorization: null } }).listen(join(root, 'socket'));
const pages = new AskedPages(join(root, 'socket'), 'npm');

afterAll(() => {
  index.close();
  rmSync(root, { recursive: true });
});

const get = async (name: string, accept = 'one', most = 100) =>
  (await pages.get(new URL(name, url), accept, most))?.bytes.toString();

test('a page is asked of its registry once for all who want it, and again where that says so', async () => {
  const [one, other] = await Promise.all([get('kept'), get('kept')]);
  expect(one).toMatch(/^page /);
  expect([other, await get('kept')]).toEqual([one, one]);
  expect(await get('kept', 'two')).not.toBe(one);
  for (const name of ['new', 'old']) expect(await get(name)).not.toBe(await get(name));
  expect(await pages.get(new URL('kept', url), 'one', 100)).toMatchObject({
    type: 'text/one',
    url: `${url}kept`,
  });
});

test('what failed, or is not there, is asked again', async () => {
  const before = asked.length;
  for (let i = 0; i < 2; i++) expect(await pages.get(new URL('absent', url), 'one', 100)).toBeNull();
  expect(asked.length).toBe(before + 2);
  await expect(get('broken')).rejects.toThrow(Unreachable);
  await expect(get('kept', 'one', 3)).rejects.toThrow(TooLarge);
});

test('no page of another place is told, and without anybody to ask each asks for itself', async () => {
  const before = asked.length;
  for (const place of [
    new URL('/elsewhere', url),
    new URL('http://other.example/base/x'),
    new URL('../x', url),
  ])
    expect(await pages.get(place, 'one', 100)).toBeUndefined();
  expect(await pages.get(new URL('kept', url), 'x'.repeat(300), 100)).toBeUndefined();
  expect(
    await new AskedPages(join(root, 'socket'), 'go').get(new URL('kept', url), 'one', 100),
  ).toBeUndefined();
  expect(asked.length).toBe(before);
  expect(await new AskedPages(root, 'npm').get(new URL('kept', url), 'one', 100)).toBeUndefined();
});

test('who keeps pages and hangs is asked once, and each asks for itself then', async () => {
  let came = 0;
  const path = join(root, 'hanging');
  const hanging = createSocket(socket => {
    came++;
    // Nothing at first, and then half of an answer.
    if (came > 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf');
  }).listen(path);
  await once(hanging, 'listening');
  for (let i = 1; i <= 2; i++) {
    const asks = new AskedPages(path, 'npm', { patienceMs: 50 });
    for (let again = 0; again < 2; again++)
      expect(await asks.get(new URL('kept', url), 'one', 100)).toBeUndefined();
    expect(came).toBe(i);
  }
  hanging.close();
});
