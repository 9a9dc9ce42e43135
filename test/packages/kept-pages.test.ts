import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, expect, test } from 'vitest';
import { AskedPages } from '../../src/packages/registry/asked-pages.ts';
import { KeptPages } from '../../src/packages/registry/kept-pages.ts';
import { shortened } from '../../src/packages/registry/python-index.ts';
import { TooLarge, Unreachable } from '../../src/packages/registry/upstream.ts';

const root = mkdtempSync(join(tmpdir(), 'codebeaker-pages-'));
const asked: string[] = [];
const index = createServer(({ url = '', headers }, response) => {
  asked.push(url);
  if (url.endsWith('slow')) return void response.once('close', () => asked.push('closed')).write('never ');
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

test('a page is read as long as somebody waits for it', async () => {
  const kept = new KeptPages({ npm: { url, authorization: null } });
  const began = asked.length;
  const [first, second] = [new AbortController(), new AbortController()];
  const reads = [first, second].map(({ signal }) =>
    kept.of('npm', signal).get(new URL('slow', url), 'one', 100),
  );
  const ends = Promise.allSettled(reads);
  await expect.poll(() => asked.slice(began)).toEqual(['/base/slow']);
  first.abort();
  await get('kept', 'three');
  expect(asked.slice(began)).toEqual(['/base/slow', '/base/kept']);
  second.abort();
  await expect.poll(() => asked.at(-1)).toBe('closed');
  expect((await ends).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
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

test('a flood of questions is asked of a registry in turns, and what takes too much room is asked again', async () => {
  let open = 0;
  let most = 0;
  const answers: (() => void)[] = [];
  const slow = createServer((_, response) => {
    most = Math.max(most, ++open);
    answers.push(() => {
      open--;
      response.end('x'.repeat(100));
    });
  }).listen(0, '127.0.0.1');
  await once(slow, 'listening');
  const base = `http://127.0.0.1:${(slow.address() as AddressInfo).port}/`;
  const path = join(root, 'flooded');
  new KeptPages({ npm: { url: base, authorization: null } }, { maxBytes: 5000 }).listen(path);
  const asks = new AskedPages(path, 'npm');
  const page = (i: number) => asks.get(new URL(`${i}`, base), 'one', 100);
  const all = Promise.all(Array.from({ length: 100 }, (_, i) => page(i)));
  let answered = 0;
  while (answered < 100) {
    await expect.poll(() => answers.length).toBeGreaterThan(0);
    for (const answer of answers.splice(0)) {
      answer();
      answered++;
    }
  }
  expect((await all).every(each => each?.bytes.length === 100)).toBe(true);
  expect(most).toBe(16);
  // Of a hundred there is room for fifty: the last one is there, and the first is not.
  await page(99);
  expect(answers).toHaveLength(0);
  const first = page(0);
  await expect.poll(() => answers.length).toBe(1);
  answers[0]!();
  expect(await first).toBeTruthy();
  slow.close();
});

test('who keeps pages is waited for while it waits itself, and not where it says nothing', async () => {
  const late = createServer((_, response) => void setTimeout(() => response.end('late'), 1200));
  await once(late.listen(0, '127.0.0.1'), 'listening');
  const base = `http://127.0.0.1:${(late.address() as AddressInfo).port}/`;
  const path = join(root, 'waiting');
  new KeptPages({ npm: { url: base, authorization: null } }).listen(path);
  const page = await new AskedPages(path, 'npm', { heardMs: 1000 }).get(new URL('x', base), 'one', 100);
  expect(page?.bytes.toString()).toBe('late');
  late.close();
});

test('a page of an index of Python is told without what is for other machines, versions that have nothing else aside', async () => {
  const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';
  const file = (filename: string) => ({
    ...{ filename, url: `x/${filename}`, hashes: { sha256: 'ab', md5: 'cd' }, provenance: null },
  });
  const here = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const kept = [
    `a-2-cp311-cp311-manylinux_2_27_${here}.manylinux_2_28_${here}.whl`,
    `a-2-cp311-cp311-musllinux_1_2_${here}.whl`,
    'a-2-py3-none-any.whl',
    'a-1-cp311-cp311-win_amd64.whl',
  ];
  const left = [
    ...['a-2-cp311-cp311-win_amd64.whl', 'a-2-cp311-cp311-macosx_11_0_arm64.macosx_11_0_x86_64.whl'],
    ...['a-2-cp311-cp311-manylinux_2_27_s390x.whl', 'a-2.tar.gz'],
  ];
  const page = (names: string[]) => ({
    ...{ type: JSON_TYPE, url: '', freshMs: 0 },
    bytes: Buffer.from(JSON.stringify({ name: 'a', files: names.map(file) })),
  });
  const told = (names: string[]) => JSON.parse(shortened(page(names)).bytes.toString()).files;
  const files = told([...left, ...kept]);
  expect(files.map(({ filename }: { filename: string }) => filename)).toEqual(kept);
  expect(files[0]).toEqual({ filename: kept[0], url: `x/${kept[0]}`, hashes: { sha256: 'ab' } });
  // That there are sources alone is told by whoever reads it.
  expect(told(['a-1.tar.gz'])).toHaveLength(1);
  const broken = { ...page([]), bytes: Buffer.from('{"files": [{}]}') };
  expect(shortened(broken)).toBe(broken);
  // However many tags a stranger gives a wheel, and however they can be read, it is looked at in time.
  const many = `a-2-py3-none-${Array(40).fill('win_s390x.macosx_11_0_ppc64').join('.')}.any.whl`;
  expect(runInNewContext('told([many])', { told, many }, { timeout: 10_000 })).toHaveLength(1);
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
    const asks = new AskedPages(path, 'npm', { heardMs: 50, patienceMs: 50 });
    for (let again = 0; again < 2; again++)
      expect(await asks.get(new URL('kept', url), 'one', 100)).toBeUndefined();
    expect(came).toBe(i);
  }
  hanging.close();
});
