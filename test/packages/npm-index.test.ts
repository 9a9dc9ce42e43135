import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { ROOT } from '../../src/bundle/fresh-bundle.mjs';
import { Facts } from '../../src/packages/registry/facts.ts';
import { NpmIndex } from '../../src/packages/registry/npm-index.ts';
import { toldPage } from '../../src/packages/registry/npm-page.ts';
import { Policy } from '../../src/packages/registry/policy.ts';
import { Upstream } from '../../src/packages/registry/upstream.ts';
import { NpmRegistryServer, published } from '../support/npm-registry.ts';
import { exported } from './exported.ts';
import { ADDRESS, Install } from './registry-install.ts';

const BUN = join(ROOT, 'node_modules/bun/bin/bun.exe');
/** A registry of npm's as an installer sees it through the gateway. */
const page = async (install: Install, name: string) =>
  JSON.parse((await install.get(`/npm/${name}`)).body.toString());

test('pages name the gateway alone, and a digest for each version; scripts and authors are not told', async () => {
  await using registry = await NpmRegistryServer.start();
  const good = await published('@a-scope/good', '1.0.0', { 'index.js': '' });
  registry.add(good);
  registry.add({ ...good, version: '1.0.1', said: { scripts: { install: 'x' }, bin: 'x.js' } });
  await using install = await Install.begin(registry, { ecosystem: 'npm' });
  const { versions, ...rest } = await page(install, '@a-scope%2fgood');
  expect(rest).toEqual({ name: '@a-scope/good', 'dist-tags': { latest: '1.0.1' } });
  const tarball = `${ADDRESS}/npm/@a-scope/good/-/good-1.0.0.tgz`;
  expect(versions['1.0.0'].dist).toEqual({ tarball, integrity: expect.stringMatching(/^sha512-/) });
  expect(versions['1.0.1']).toEqual({
    ...{ name: '@a-scope/good', version: '1.0.1', bin: 'x.js' },
    dist: expect.anything(),
  });
  const { status, body } = await install.get('/npm/@a-scope/good/-/good-1.0.0.tgz');
  expect([status, body.equals(good.content)]).toEqual([200, true]);
  const before = registry.asked.length;
  for (const path of [
    '/npm/',
    '/npm/-/v1/search?text=x',
    '/npm/-/npm/v1/security/advisories/bulk',
    '/npm/good/-/good-1.0.0.tgz',
    '/npm/@a-scope/good/-/../good-1.0.0.tgz',
    '/npm/..%2f..%2fsecret/x',
    '/npm/@a-scope%2fgood%2f..%2fx',
    '/npm/..',
    '/npm/.',
    '/npm/@../good',
    '/npm/@a-scope/..',
    '/simple/good/',
    'http://192.0.2.1/npm/good',
  ])
    expect((await install.get(path)).status, path).toBe(404);
  expect((await install.get('/npm/@a-scope%2fgood', 'PUT')).status).toBe(405);
  expect(registry.asked.length).toBe(before);
});

test('an artifact whose address is none is not there, and others are', async () => {
  await using registry = await NpmRegistryServer.start();
  const good = await published('good', '1.0.0', {});
  const dist = { integrity: `sha512-${'A'.repeat(86)}==`, tarball: 'http://192.0.2.999/good.tgz' };
  registry.add(good, { ...good, version: '1.0.1', said: { dist } });
  await using install = await Install.begin(registry, { ecosystem: 'npm' });
  await page(install, 'good');
  expect((await install.get('/npm/good/-/good-1.0.1.tgz')).status).toBe(404);
  expect((await install.get('/npm/good/-/good-1.0.0.tgz')).status).toBe(200);
});

test('what an installer has had is told beside what it has made of that', async () => {
  await using registry = await NpmRegistryServer.start();
  registry.add(await published('there', '1.0.0', {}), await published('evil', '1.0.0', {}));
  await using install = await Install.begin(registry, { ecosystem: 'npm' });
  for (const name of ['there', 'evil', 'nobody']) await install.get(`/npm/${name}`);
  for (const name of ['there', 'evil']) await install.get(`/npm/${name}/-/${name}-1.0.0.tgz`);
  const tree = exported(path => {
    mkdirSync(join(path, 'there'));
    writeFileSync(join(path, 'there/package.json'), '{"name": "there", "version": "1.0.0"}');
  }, 'node_modules');
  expect(await install.freeze(tree)).toMatchObject({
    installed: [{ name: 'there', digest: expect.stringMatching(/^sha512:/) }],
    places: { 'node_modules/there/': expect.any(String) },
    asked: { pages: ['there', 'evil', 'nobody'], unused: ['evil@1.0.0'], failed: true, passing: false },
  });
});

test('a page is kept as installers are told it, and one that is none as it is', () => {
  const [url, tarball] = ['https://registry.example/@a%2fb', 'https://registry.example/b.tgz'];
  const told = (text: string, { name = '@a%2fb', minAgeDays = 0 } = {}) => {
    const page = { bytes: Buffer.from(text), type: 'application/json', url, freshMs: 0 };
    const { bytes, artifacts } = toldPage(page, name, { address: ADDRESS, deny: [], minAgeDays });
    return [bytes.toString(), artifacts?.toString()];
  };
  const version = { dependencies: { c: '1' }, os: ['linux'] };
  const scripts = { install: 'x' };
  const said = JSON.stringify({
    'dist-tags': { latest: '1.0.0' },
    versions: {
      '1.0.0': { ...version, scripts, dist: { tarball, integrity: 'sha512-AA==', size: 1 } },
      '0.9.0': { dist: { tarball, integrity: 'md5-AA==', shasum: 'a'.repeat(40) } },
      '0.8.0': { dist: null },
    },
    time: { '1.0.0': new Date().toISOString(), '0.9.0': '2020-01-01T00:00:00Z' },
    readme: 'long',
  });
  const of = (number: string) => ({
    ...{ name: '@a/b', version: number },
    dist: { tarball: `${ADDRESS}/npm/@a/b/-/b-${number}.tgz` },
  });
  const [text, artifacts] = told(said).map(each => JSON.parse(each!));
  const old = { ...of('0.9.0'), dist: { ...of('0.9.0').dist, shasum: 'a'.repeat(40) } };
  const newest = { ...of('1.0.0'), ...version, dist: { ...of('1.0.0').dist, integrity: 'sha512-AA==' } };
  const rest = { name: '@a/b', 'dist-tags': { latest: '1.0.0' } };
  expect(text).toEqual({ ...rest, versions: { '1.0.0': newest, '0.9.0': old } });
  expect(artifacts).toEqual({
    '1.0.0': { tarball, algorithm: 'sha512', digest: 'AA==' },
    '0.9.0': { tarball, algorithm: 'sha1', digest: 'a'.repeat(40) },
  });
  const [aged] = told(said, { minAgeDays: 7 }).map(each => JSON.parse(each!));
  expect(aged).toEqual({ name: '@a/b', 'dist-tags': { latest: '0.9.0' }, versions: { '0.9.0': old } });
  for (const odd of ['{', 'null', '{"versions": {"1.0.0": null}}'])
    expect(told(odd)).toEqual([odd, undefined]);
  expect(told(said, { name: '..%2fb' })).toEqual([said, undefined]);
});

test('what a package needs is never at a place: such a requirement can’t be met', async () => {
  await using registry = await NpmRegistryServer.start();
  const dependencies = {
    fine: '^1.0.0 || 2.x',
    renamed: 'npm:@other/name@^1',
    tagged: 'latest',
    git: 'git+ssh://git@192.0.2.1/x.git',
    hosted: 'someone/something',
    remote: 'https://192.0.2.1/x.tgz',
    local: 'file:../../etc',
    linked: 'link:/etc',
    above: '..',
    archive: 'x.tgz',
  };
  registry.add(await published('needy', '1.0.0', {}, { manifest: { dependencies } }));
  await using install = await Install.begin(registry, { ecosystem: 'npm' });
  const { versions } = await page(install, 'needy');
  const nowhere = 'from-a-place-that-is-not-the-registry';
  const { fine, renamed, tagged, ...places } = versions['1.0.0'].dependencies;
  expect({ fine, renamed, tagged }).toMatchObject({
    fine: dependencies.fine,
    renamed: dependencies.renamed,
    tagged,
  });
  expect(new Set(Object.values(places))).toEqual(new Set([nowhere]));
  expect(Object.keys(places)).toHaveLength(7);
});

/** What lists ask for, of versions of which `latest` names 2.0.0. */
const VERSIONS = (
  '0.0.1 0.9.0 0.9.1 1.0.0-alpha.1 1.0.0-rc.1 1.0.0 1.0.1 1.2.0 1.3.0-beta.1 1.3.0 2.0.0-alpha.1 ' +
  '2.1.0 2.2.0 3.0.0-rc.1 3.0.0-rc.2 4.0.0-beta.1 2.0.0'
).split(' ');
const RANGES = [
  ',*,x,latest,next,ts4.9,nothing,1,1.x,1.2,1.2.x,9,0.0.1,v1.0.1,=1.0.1,^1,^2,^0.9.0,^0.0.1,~1.0,~> 0.9',
  '>1.0.0,>2.0.0,<2,<=1.2.x,>=1 <1.3,1.0.0 - 1.2,1 || 2,9.9.9 || ^1,0.0.1 || 0.9.0,^0.9.0||~1.0.0||>9',
  '1.0.0-rc.1,^1.0.0-alpha.1,^3.0.0-rc.1,>=3,>=3.0.0-rc.1,>=1.0.0-rc.1,<1.0.0,<1.0.0-rc.1,4.0.0,5.0.0-rc.1',
  '>=1.0.0-alpha.1 <1.0.0,~4.0.0-beta.1,1.0.0-rc.1 || 0.9.0,^3.0.0-rc.1 || 1,2.0.0 || 3.0.0-rc.1',
  '^2.0.0 || 3.0.0-rc.1,2.0.0 - 3.0.0-rc.1,1.3.0-beta.1 - 1.3.0,2.1.0 || 3.0.0-rc.1,>=2.0.0-alpha.1',
].flatMap(line => line.split(','));

test('a version is picked as bun itself picks it', async () => {
  await using registry = await NpmRegistryServer.start();
  registry.tags = { next: '3.0.0-rc.2', 'ts4.9': '1.2.0' };
  const any = await published('any', '1.0.0', {});
  const wanted = RANGES.map((range, i) => [`p${i}`, range] as const);
  for (const [name] of wanted) registry.add(...VERSIONS.map(version => ({ ...any, name, version })));
  const index = new NpmIndex({
    upstream: new Upstream({ url: registry.url, authorization: null }),
    policy: new Policy({ deny: [], minAgeDays: 0 }),
    facts: new Facts(),
    address: ADDRESS,
  });
  const picked = await Promise.all(wanted.map(([name, range]) => index.pick(name, range)));
  const directory = mkdtempSync(join(tmpdir(), 'codebeaker-picks-'));
  const bun = async (dependencies: Record<string, string>) => {
    writeFileSync(join(directory, 'package.json'), JSON.stringify({ dependencies }));
    const argv = ['install', '--cwd', directory, '--registry', registry.url, '--lockfile-only'];
    const env = { BUN_INSTALL_CACHE_DIR: join(directory, 'cache'), NO_COLOR: '1' };
    const child = spawn(BUN, argv, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    return buffer(child.stderr).then(String);
  };
  try {
    const manifest = (rows: readonly (readonly [string, string])[]) =>
      Object.fromEntries(rows.map(([name, range]) => [name, range || 'latest']));
    const [there, missing] = [true, false].map(is => wanted.filter((_, i) => (picked[i] !== null) === is));
    await bun(manifest(there!));
    const lock = readFileSync(join(directory, 'bun.lock'), 'utf8');
    const locked = wanted.map(([name]) => RegExp(`\\["${name}@([^"]+)"`).exec(lock)?.[1] ?? null);
    const table = (versions: readonly (string | null)[]) =>
      versions.map((version, i) => `${RANGES[i]}: ${version}`);
    expect(table(picked)).toEqual(table(locked));
    const said = await bun(manifest(missing!));
    for (const [name] of missing!) expect(said).toMatch(RegExp(`"${name}".* not found|"${name}" \\(but`));
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('what the operator denies, what is too young and what names no digest is not there', async () => {
  await using registry = await NpmRegistryServer.start();
  registry.add(await published('denied', '1.0.0', {}));
  const old = '2020-01-01T00:00:00Z';
  registry.add(await published('aged', '1.9.0', {}, { published: old }));
  registry.add(await published('aged', '1.10.0', {}, { published: old }));
  registry.add(await published('aged', '2.0.0-rc.1', {}, { published: old }));
  registry.add(await published('aged', '2.0.0', {}, { published: new Date().toISOString() }));
  registry.add(await published('aged', '0.1.0', {}));
  const options = { ecosystem: 'npm', deny: ['denied'], minAgeDays: 7 } as const;
  await using install = await Install.begin(registry, options);
  const { versions, 'dist-tags': tags } = await page(install, 'aged');
  expect(Object.keys(versions)).toEqual(['1.9.0', '1.10.0', '2.0.0-rc.1']);
  expect(tags).toEqual({ latest: '1.10.0' });
  expect((await install.get('/npm/denied')).status).toBe(404);
  expect(await install.facts()).toMatchObject({ failure: { reason: 'denied' } });
  registry.add(await published('bare', '1.0.0', {}, { said: { dist: { tarball: `${registry.url}x.tgz` } } }));
  await using other = await Install.begin(registry, { ecosystem: 'npm' });
  expect((await page(other, 'bare')).versions).toEqual({});
});

test('bytes that are not those of the page fail as `digest`, by SHA-1 where there is nothing better', async () => {
  await using registry = await NpmRegistryServer.start();
  const dist = { shasum: 'a'.repeat(40), tarball: `${registry.url}tarballs/weak@1.0.0.tgz` };
  registry.add(await published('weak', '1.0.0', {}, { said: { dist } }));
  await using install = await Install.begin(registry, { ecosystem: 'npm' });
  expect((await page(install, 'weak')).versions['1.0.0'].dist.shasum).toBe('a'.repeat(40));
  expect(await install.refuses('/npm/weak/-/weak-1.0.0.tgz')).toBe(true);
  expect(await install.facts()).toMatchObject({ failure: { reason: 'digest' } });
});

test('a page that is none fails as `registry_unreachable`, and one that is missing as `not_found`', async () => {
  await using registry = await NpmRegistryServer.start();
  registry.add({ ...(await published('odd', '1.0.0', {})), said: { dist: null } });
  await using install = await Install.begin(registry, { ecosystem: 'npm' });
  expect((await page(install, 'odd')).versions).toEqual({});
  expect((await install.get('/npm/nobody')).status).toBe(404);
  expect(await install.facts()).toMatchObject({ failure: { reason: 'not_found' } });
  const { url } = registry;
  await registry.close();
  await using none = await Install.begin(url, { ecosystem: 'npm' });
  expect((await none.get('/npm/odd')).status).toBe(502);
  expect(await none.facts()).toMatchObject({ failure: { reason: 'registry_unreachable' } });
});
