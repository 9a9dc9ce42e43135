import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ModuleProxyServer, module } from '../support/module-proxy.ts';
import { exported } from './exported.ts';
import { Install } from './registry-install.ts';

/** A module proxy as an installer sees it through the gateway. */
const GOOD = module('good.test/Good', 'v1.0.0', { 'it.go': 'package good\n' });
const AT = '/go/good.test/!good/@v';
const DAY_MS = 24 * 3600 * 1000;

/** With a database of checksums, which `more` may name in another way. */
const begin = (proxy: ModuleProxyServer, more: Record<string, unknown> = {}) => {
  const [key = '', url = ''] = proxy.env.GOSUMDB!.split(' ');
  const checksums = { key, url: `${url}/`, except: '' };
  const index = { url: proxy.url, authorization: null, checksums };
  return Install.begin(proxy, { ecosystem: 'go', index, ...more });
};

test('what the protocol of proxies names is passed on, and nothing else is asked for', async () => {
  await using proxy = await ModuleProxyServer.start(GOOD);
  await using install = await begin(proxy);
  const text = async (path: string) => (await install.get(path)).body.toString();
  expect(await text(`${AT}/list`)).toBe('v1.0.0\n');
  expect(JSON.parse(await text('/go/good.test/%21good/@latest'))).toMatchObject({ Version: 'v1.0.0' });
  expect(await text(`${AT}/v1.0.0.mod`)).toBe(GOOD.goMod);
  expect((await install.get(`${AT}/v1.0.0.zip`)).body.equals(GOOD.content)).toBe(true);
  expect((await install.get(`${AT}/v9.0.0.info`)).status).toBe(404);
  const before = proxy.asked.length;
  for (const path of [
    '/go/',
    '/go/good/@v/list',
    '/go/good.test/Good/@v/list',
    '/go/good.test/../good.test/@v/list',
    '/go/good.test/..%2f/@v/list',
    '/go/good.test//@v/list',
    '/go/.good.test/@v/list',
    '/go/good.test/@v/',
    '/go/good.test/@v/v1.0.0',
    '/go/good.test/@v/main.info',
    '/go/good.test/@v/v1.0.0.exe',
    '/go/good.test/@v/v1.0.0.zip?x=y',
    '/go/good.test/@v/../@v/list',
    '/go/sumdb/sum.golang.org/supported',
    '/go/sumdb/sums.test/',
    '/go/sumdb/sums.test/../x',
    '/go/sumdb/sums.test/lookup/good.test',
    '/go/sumdb/sums.test/tile/8/0/../0',
    '/simple/good/',
    'http://192.0.2.1/go/good.test/@v/list',
  ])
    expect((await install.get(path)).status, path).toBe(404);
  for (const method of ['POST', 'PUT']) expect((await install.get(`${AT}/list`, method)).status).toBe(405);
  expect(proxy.asked.length).toBe(before);
});

test.for([true, false])('checksums come by the proxy, or from their database: %s', async passed => {
  await using proxy = await ModuleProxyServer.start(GOOD);
  proxy.passesChecksums = passed;
  await using install = await begin(proxy);
  expect(await install.get('/go/sumdb/sums.test/supported')).toMatchObject({ status: 200 });
  const record = await install.get('/go/sumdb/sums.test/lookup/good.test/!good@v1.0.0');
  expect(record.body.toString()).toContain(`good.test/Good v1.0.0 ${GOOD.sum}\n`);
  // Bytes, of which not all are text.
  expect((await install.get('/go/sumdb/sums.test/tile/8/0/000.p/1')).body).toHaveLength(32);
  expect(proxy.asked.some(each => each.startsWith('GET /itself/lookup/'))).toBe(!passed);
});

test('without a database there is none, whoever asks', async () => {
  await using proxy = await ModuleProxyServer.start(GOOD);
  await using install = await begin(proxy, { index: { url: proxy.url, authorization: null } });
  expect((await install.get('/go/sumdb/sums.test/supported')).status).toBe(404);
  expect((await install.get('/go/sumdb/undefined/supported')).status).toBe(404);
});

test('what the operator denies, or finds too young, is not there', async () => {
  const young = { published: new Date(Date.now() - DAY_MS).toISOString() };
  await using proxy = await ModuleProxyServer.start(
    GOOD,
    module('good.test/Good', 'v1.10.0', {}, young),
    module('denied.test/Denied', 'v1.0.0', {}),
    module('young.test/young', 'v0.1.0', {}, young),
  );
  await using install = await begin(proxy, { deny: ['denied.test/Denied'], minAgeDays: 7 });
  expect((await install.get(`${AT}/list`)).body.toString()).toBe('v1.0.0\n');
  expect((await install.get(`${AT}/v1.0.0.zip`)).status).toBe(200);
  for (const kind of ['info', 'mod', 'zip']) {
    expect((await install.get(`${AT}/v1.10.0.${kind}`)).status).toBe(404);
    expect((await install.get(`/go/denied.test/!denied/@v/v1.0.0.${kind}`)).status).toBe(404);
  }
  for (const path of [
    'young.test/young/@latest',
    'denied.test/!denied/@v/list',
    'denied.test/!denied/@latest',
  ])
    expect((await install.get(`/go/${path}`)).status).toBe(404);
  expect(await install.facts()).toMatchObject({ failure: { reason: 'denied' } });
  expect(proxy.asked.filter(each => each.includes('denied.test') || each.endsWith('v1.10.0.zip'))).toEqual(
    [],
  );
});

test('what is denied is so in each spelling and major version', async () => {
  await using proxy = await ModuleProxyServer.start(module('denied.test/denied', 'v1.0.0', {}));
  await using install = await begin(proxy, { deny: ['denied.test/Denied'] });
  for (const path of ['denied', '!d!enied', 'denied/v2', '!denied/v12'])
    expect((await install.get(`/go/denied.test/${path}/@v/list`)).status, path).toBe(404);
  expect(proxy.asked).toEqual([]);
  expect((await install.get('/go/denied.test/denied/other/@v/list')).status).toBe(200);
});

test('an archive that is cut off, or a proxy that fails, is told as that', async () => {
  await using proxy = await ModuleProxyServer.start({
    ...GOOD,
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': 1000 }).write('PK');
      response.destroy();
    },
  });
  await using install = await begin(proxy);
  expect(await install.refuses(`${AT}/v1.0.0.zip`)).toBe(true);
  expect(await install.facts()).toMatchObject({ failure: { reason: 'registry_unreachable' } });
});

test.for([
  ['as go has checked them', 'package good\n', 'done'],
  ['of which one was changed', 'package evil\n', 'failed'],
])('a layer holds the files of a module, %s', async ([, text = '', event]) => {
  await using install = await Install.begin('http://127.0.0.1:1/', { ecosystem: 'go' });
  const tree = exported(path => {
    const mod = join(path, 'mod/good.test/!good@v1.0.0');
    const sums = join(path, 'mod/cache/download/good.test/!good/@v');
    for (const each of [mod, sums]) mkdirSync(each, { recursive: true });
    writeFileSync(join(mod, 'go.mod'), GOOD.goMod);
    writeFileSync(join(mod, 'it.go'), text);
    writeFileSync(join(sums, 'v1.0.0.ziphash'), GOOD.sum);
  }, 'go');
  const installed = [
    { name: 'good.test/Good', version: 'v1.0.0', bytes: expect.any(Number), digest: GOOD.sum },
  ];
  expect(await install.freeze(tree)).toMatchObject(
    event === 'done' ? { event, installed } : { event, reason: 'digest' },
  );
});

test('a module without a sum is in no layer', async () => {
  await using install = await Install.begin('http://127.0.0.1:1/', { ecosystem: 'go' });
  const tree = exported(path => {
    mkdirSync(join(path, 'mod/good.test@v1.0.0'), { recursive: true });
    writeFileSync(join(path, 'mod/good.test@v1.0.0/it.go'), '');
  }, 'go');
  expect(await install.freeze(tree)).toMatchObject({ event: 'failed', reason: 'digest' });
});
