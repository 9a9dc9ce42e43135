import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, connect, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, test, vi } from 'vitest';
import type { EcosystemName } from '../../src/packages/registry/protocol.ts';
import { TestCertificate } from '../network/test-certificate.ts';
import { ModuleProxyServer, module } from '../support/module-proxy.ts';
import { NpmRegistryServer, published } from '../support/npm-registry.ts';
import { PythonIndexServer, wheel } from '../support/python-index.ts';
import { exported } from './exported.ts';
import { Install, isRoot } from './registry-install.ts';

const good = wheel('good', '1.0', { 'good.py': 'x = 1\n' });

const portOf = (server: Server) => (server.address() as AddressInfo).port;

async function goodIndex(): Promise<PythonIndexServer> {
  const index = await PythonIndexServer.start();
  index.add('good', good, { filename: 'good-1.0.tar.gz', content: Buffer.from('never looked at') });
  return index;
}

test('an installer sees pages with wheels alone, and their bytes, by addresses of the gateway’s', async () => {
  await using index = await goodIndex();
  await using install = await Install.begin(index);
  const { status, body } = await install.get('/simple/good/');
  expect(status).toBe(200);
  const { files } = JSON.parse(body.toString());
  expect(files).toMatchObject([{ filename: good.filename, url: `/files/${good.filename}`, yanked: false }]);
  expect((await install.get(files[0].url)).body.equals(good.content)).toBe(true);
  await expect
    .poll(() => readdirSync(install.cache))
    .toEqual([expect.stringMatching(/^sha256-[0-9a-f]{64}$/)]);
  // Kept, and so not asked for again.
  const asked = index.asked.length;
  expect((await install.get(files[0].url)).body.equals(good.content)).toBe(true);
  expect(index.asked.length).toBe(asked);
});

test('source archives are seen beside them where they may be built, and are sent whole', async () => {
  await using index = await goodIndex();
  await using install = await Install.begin(index, { build: true });
  const { files } = JSON.parse((await install.get('/simple/good/')).body.toString());
  expect(files.map(({ filename }: { filename: string }) => filename)).toEqual([
    good.filename,
    'good-1.0.tar.gz',
  ]);
  expect((await install.get(files[1].url, 'GET', { range: 'bytes=0-3' })).status).toBe(200);
  expect((await install.get(files[1].url)).body.toString()).toBe('never looked at');
});

test('a page in HTML is read too', async () => {
  const sha256 = 'ab'.repeat(32);
  const html = `<!DOCTYPE html><html><body><a href="https://files.example/a/a-1-py3-none-any.whl#sha256=${sha256}" data-requires-python="&gt;=3.8" data-core-metadata="sha256=${sha256}">a-1-py3-none-any.whl</a><a href='x-2.whl'>x-2-py3-none-any.whl</a></body></html>`;
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await using install = await Install.begin(
    `http://127.0.0.1:${(server.address() as { port: number }).port}/`,
  );
  const { files } = JSON.parse((await install.get('/simple/a/')).body.toString());
  expect(files).toEqual([
    {
      filename: 'a-1-py3-none-any.whl',
      url: '/files/a-1-py3-none-any.whl',
      hashes: { sha256 },
      'requires-python': '>=3.8',
      yanked: false,
      'core-metadata': { sha256 },
    },
  ]);
  server.close();
});

test('behind a proxy that asks for a password, and a certificate of its own, registries are read as elsewhere, and nobody is told of it', async () => {
  await using index = await goodIndex();
  await using registry = await NpmRegistryServer.start();
  const odd = await published('odd', '1.0.0', {});
  registry.add(odd);
  const fine = module('fine.test/fine', 'v1.0.0', { 'it.go': 'package fine\n' });
  await using modules = await ModuleProxyServer.start(fine);
  const behind: Record<string, string> = {
    'index.test': index.url,
    'npm.test': registry.url,
    'go.test': modules.url,
  };
  using certificate = new TestCertificate(...Object.keys(behind));
  const secure = createHttps(certificate, async ({ url = '', headers: { host = '' } }, response) => {
    const there = await fetch(new URL(url, behind[host]));
    const type = there.headers.get('content-type') ?? '';
    const body = Buffer.from(await there.arrayBuffer());
    response.setHeader('content-type', type);
    const names = /json/.test(type) && body.toString().replaceAll(behind[host]!, `https://${host}/`);
    response.end(names || body);
  });
  const asked = new Set<string>();
  const proxy = createServer().on('connect', ({ url, headers }, socket) => {
    asked.add(`${url} ${headers['proxy-authorization']}`);
    const there = connect(portOf(secure), '127.0.0.1');
    socket.write('HTTP/1.1 200 Connected\r\n\r\n');
    socket.pipe(there).pipe(socket);
    for (const each of [there, socket]) each.on('error', () => {});
  });
  const plain = createServer(({ url }, response) => {
    response.writeHead(302, { location: `https://index.test${url}` }).end();
  });
  for (const server of [secure, proxy, plain]) await once(server.listen(0, '127.0.0.1'), 'listening');
  const certificates = certificate.file;
  const begin = (url: string, port = portOf(proxy), ecosystem: EcosystemName = 'python') => {
    vi.stubEnv('HTTPS_PROXY', `http://one:p%40ss@127.0.0.1:${port}`);
    vi.stubEnv('https_proxy', process.env.HTTPS_PROXY);
    return Install.begin(url, { certificates, ecosystem });
  };
  await using install = await begin('https://index.test/simple/');
  await using sentOn = await begin(`http://127.0.0.1:${portOf(plain)}/simple/`);
  await using npm = await begin('https://npm.test/', portOf(proxy), 'npm');
  await using go = await begin('https://go.test/', portOf(proxy), 'go');
  await using cutOff = await begin('https://index.test/simple/', 1);
  vi.unstubAllEnvs();
  const page = await install.get('/simple/good/');
  const odds = await npm.get('/npm/odd');
  for (const { body } of [page, odds]) expect(body.toString()).not.toMatch(/\w\.test|127\.0\.0\.1|p@ss/);
  const [{ url }] = JSON.parse(page.body.toString()).files;
  expect((await install.get(url)).body.equals(good.content)).toBe(true);
  expect((await sentOn.get('/simple/good/')).status).toBe(200);
  expect((await npm.get('/npm/odd/-/odd-1.0.0.tgz')).body.equals(odd.content)).toBe(true);
  expect((await go.get('/go/fine.test/fine/@v/v1.0.0.zip')).body.equals(fine.content)).toBe(true);
  expect([...asked]).toEqual(Object.keys(behind).map(name => `${name}:443 Basic ${btoa('one:p@ss')}`));
  expect((await cutOff.get('/simple/good/')).status).toBe(502);
  expect(await cutOff.facts()).toMatchObject({
    failure: {
      reason: 'registry_unreachable',
      sentence: 'A registry could not be read: index.test: connect ECONNREFUSED',
    },
  });
  for (const server of [secure, proxy, plain]) server.close();
});

test('nothing else is answered, and the index hears of nothing else', async () => {
  await using index = await goodIndex();
  await using install = await Install.begin(index);
  await install.get('/simple/good/');
  const before = index.asked.length;
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    expect((await install.get('/simple/good/', method)).status).toBe(405);
  for (const path of [
    '/',
    '/simple/',
    '/simple/Good/',
    '/simple/good',
    '/simple/..%2f..%2fsecret/',
    '/simple/../secret/',
    '/files/unknown-1-py3-none-any.whl',
    '/files/..%2fsimple',
    `/files/${good.filename}?x=1`,
    `//example.com/files/${good.filename}`,
    'http://192.0.2.1/simple/good/',
  ])
    expect((await install.get(path)).status, path).toBe(404);
  const raw = async (head: string) => {
    const socket = connect(install.relay.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(head);
    return text(socket).catch(() => 'reset');
  };
  expect(await raw('CONNECT 192.0.2.1:443 HTTP/1.1\r\nhost: x\r\n\r\n')).toMatch(/^(reset)?$/);
  expect(await raw('nonsense\r\n\r\n')).toMatch(/^(reset)?$/);
  expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nlong: ${'x'.repeat(20_000)}\r\n\r\n`)).toMatch(/^(reset)?$/);
  expect(
    await raw(
      'GET /simple/good/ HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    ),
  ).toMatch(/^(reset)?$/);
  expect(index.asked.length).toBe(before);
});

test.runIf(isRoot)(
  'it is nobody, with nothing of the server’s environment, and may start no program',
  async () => {
    await using index = await goodIndex();
    process.env.CODEBEAKER_TEST_SECRET = 'hush';
    await using install = await Install.begin(index);
    delete process.env.CODEBEAKER_TEST_SECRET;
    await install.get('/simple/good/');
    const proc = (name: string) => readFileSync(`/proc/${install.registry.pid}/${name}`, 'utf8');
    const { uid } = install;
    expect(proc('status')).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    expect(proc('status')).toMatch(new RegExp(`^Gid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    expect(proc('status')).toMatch(/^Groups:\t\s*$/m);
    expect(proc('status')).toMatch(/^CapEff:\t0+$/m);
    expect(proc('environ')).not.toContain('hush');
    expect(proc('cmdline').split('\0')).toContain('--permission');
    expect(proc('cmdline')).not.toContain('allow-child-process');
  },
);

test('an artifact without metadata of its own is read in parts, and what was read is known to stay', async () => {
  await using index = await goodIndex();
  const long = wheel('long', '1.0', { 'long.py': '#'.repeat(600_000) });
  index.add('long', long);
  await using install = await Install.begin(index);
  await install.get('/simple/long/');
  const path = `/files/${long.filename}`;
  const total = long.content.byteLength;
  const head = await install.get(path, 'HEAD');
  expect(head.headers).toMatchObject({
    ...{ 'accept-ranges': 'bytes', 'content-length': `${total}`, 'cache-control': 'max-age=600' },
  });
  for (const [first, last] of [
    [0, 0],
    [total - 100, total - 1],
    [200_000, 550_000],
    [0, total - 1],
  ] as const) {
    const { status, body, headers } = await install.get(path, 'GET', { range: `bytes=${first}-${last}` });
    expect([status, headers['content-range']]).toEqual([206, `bytes ${first}-${last}/${total}`]);
    expect(body.equals(long.content.subarray(first, last + 1))).toBe(true);
  }
  for (const range of [
    `bytes=0-${total}`,
    'bytes=5-4',
    `bytes=${total}-${total}`,
    `bytes=0-${'9'.repeat(12)}`,
  ])
    expect((await install.get(path, 'GET', { range })).status, range).toBe(416);
  for (const range of ['bytes=-5', 'bytes=5-', 'bytes=0-1,3-4', 'lines=0-1', `bytes=0-${'9'.repeat(400)}`]) {
    const { status, body } = await install.get(path, 'GET', { range });
    expect([range, status, body.equals(long.content)]).toEqual([range, 200, true]);
  }
  expect(index.asked.filter(each => each.includes(long.filename))).toHaveLength(1);
});

test('what is known of an artifact already is told without reading it, if it is about that one', async () => {
  await using index = await goodIndex();
  const [other, gone, forged] = [wheel('other', '1', {}), wheel('gone', '1', {}), wheel('forged', '1', {})];
  for (const [project, file] of Object.entries({ other, gone, forged })) index.add(project, file);
  const nameOf = ({ content }: { content: Buffer }, pin: string) =>
    `sha256-${createHash('sha256').update(content).digest('hex')} ${pin}`;
  const about = (project: string, version: string) =>
    `Metadata-Version: 2.1\nName: ${project}\nVersion: ${version}\n`;
  const known = about('Good', '1.0');
  const described = {
    [nameOf(good, 'good==1.0')]: known,
    [nameOf(other, 'other==1')]: known,
    // What installed something else can't speak of this one, whatever it says.
    [nameOf(forged, 'good==1.0')]: about('forged', '1'),
  };
  await using install = await Install.begin(index, { described });
  const filesOf = async (project: string) =>
    JSON.parse((await install.get(`/simple/${project}/`)).body.toString()).files;
  const [file] = await filesOf('good');
  expect(file).toMatchObject({ filename: good.filename, 'core-metadata': true });
  expect((await install.get(`${file.url}.metadata`)).body.toString()).toBe(known);
  expect(index.asked.filter(each => each.includes(good.filename))).toEqual([]);
  expect((await install.get(file.url)).body.equals(good.content)).toBe(true);
  for (const project of ['other', 'gone', 'forged']) {
    const [{ url, ...said }] = await filesOf(project);
    expect(said['core-metadata']).toBe(false);
    expect((await install.get(`${url}.metadata`)).status).toBe(404);
  }
});

test('of what is asked for over and over, only so much is told', async () => {
  await using index = await goodIndex();
  index.add('other', wheel('other', '1', {}));
  await using install = await Install.begin(index, { build: true });
  const socket = connect(install.relay.port, '127.0.0.1');
  const asked = ['good', 'other'].map(name => `GET /simple/${name}/ HTTP/1.1\r\nhost: x\r\n\r\n`).join('');
  const last = 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
  socket.write(asked.repeat(1500) + last);
  expect(await text(socket)).toContain('404 Not Found');
  await install.facts();
  expect(install.progress).toBeGreaterThanOrEqual(1000);
  expect(install.progress).toBeLessThan(2000);
});

test('what is kept and was changed by another install is fetched again, and what was read already stays', async () => {
  await using index = await PythonIndexServer.start();
  // With metadata of its own, it is read once and not in parts.
  index.add('good', { ...good, said: { 'core-metadata': { sha256: 'ab'.repeat(32) } } });
  const other = wheel('other', '1', {});
  index.add('other', other);
  await using install = await Install.begin(index);
  await install.get('/simple/good/');
  const path = `/files/${good.filename}`;
  await install.get(path);
  await expect
    .poll(() => readdirSync(install.cache))
    .toEqual([expect.stringMatching(/^sha256-[0-9a-f]{64}$/)]);
  const asked = index.asked.length;
  writeFileSync(join(install.cache, readdirSync(install.cache)[0]!), 'poison');
  expect((await install.get(path)).body.equals(good.content)).toBe(true);
  expect(index.asked.length).toBe(asked + 1);
  await install.get('/simple/other/');
  await install.get(`/files/${other.filename}`);
  for (const file of readdirSync(install.cache)) writeFileSync(join(install.cache, file), 'poison');
  expect((await install.get(`/files/${other.filename}`)).body.equals(other.content)).toBe(true);
  expect(index.asked.filter(each => each.includes(other.filename))).toHaveLength(1);
});

describe('an install fails', () => {
  test('as `digest` when an index sends other bytes than it names, and nothing of them is taken for whole', async () => {
    await using index = await goodIndex();
    const evil = wheel('evil', '1.0', { 'evil.py': 'x = 1\n' });
    const other = Buffer.from(evil.content);
    other[40]! ^= 1;
    index.add('evil', { ...evil, answer: (_, response) => response.end(other) });
    await using install = await Install.begin(index);
    await install.get('/simple/evil/');
    expect(await install.refuses(`/files/${evil.filename}`)).toBe(true);
    expect(await install.facts()).toMatchObject({ failure: { reason: 'digest' } });
    expect(readdirSync(install.cache)).toEqual([]);
  });

  test('as `needs_build`, `denied` and `not_found` by what the index has and the operator allows', async () => {
    await using index = await goodIndex();
    index.add('source', { filename: 'source-1.tar.gz', content: Buffer.from('x') });
    for (const [name, more, reason] of [
      ['source', {}, 'needs_build'],
      ['good', { deny: ['good'] }, 'denied'],
      ['unknown', {}, 'not_found'],
    ] as const) {
      await using install = await Install.begin(index, more);
      await install.get(`/simple/${name}/`);
      expect(await install.facts()).toMatchObject({ failure: { reason } });
    }
  });

  test('when versions are younger than the operator takes, or of no known age', async () => {
    await using index = await PythonIndexServer.start();
    const aged = (version: string, uploaded: string | undefined) => ({
      ...wheel('aged', version, {}),
      ...(uploaded && { said: { 'upload-time': uploaded } }),
    });
    index.add(
      'aged',
      aged('1', '2020-01-01T00:00:00Z'),
      aged('2', new Date().toISOString()),
      aged('3', undefined),
    );
    await using install = await Install.begin(index, { minAgeDays: 7 });
    const { files } = JSON.parse((await install.get('/simple/aged/')).body.toString());
    expect(files.map(({ filename }: { filename: string }) => filename)).toEqual(['aged-1-py3-none-any.whl']);
  });

  test('as `registry_unreachable` when there is no index, or one that answers nonsense', async () => {
    await using index = await goodIndex();
    const { url } = index;
    index.add('cut', {
      ...wheel('cut', '1', {}),
      answer: (_, response) =>
        void response.writeHead(200, { 'content-length': 10 }).write('x', () => response.destroy()),
    });
    await using cut = await Install.begin(url);
    await cut.get('/simple/cut/');
    expect(await cut.refuses('/files/cut-1-py3-none-any.whl')).toBe(true);
    expect(await cut.facts()).toMatchObject({ failure: { reason: 'registry_unreachable' } });
    await index.close();
    await using install = await Install.begin(url);
    expect((await install.get('/simple/good/')).status).toBe(502);
    expect(await install.facts()).toMatchObject({ failure: { reason: 'registry_unreachable' } });
  });
});

test('a tree is written by that process’s own user, and one that lies is told as a failure', async () => {
  const index = 'http://127.0.0.1:9/';
  await using install = await Install.begin(index);
  const answer = await install.freeze(exported(path => writeFileSync(join(path, 'file'), 'x')));
  expect(answer).toMatchObject({ event: 'done', bytes: 1, installed: [] });
  const { uid } = statSync(join(install.root, 'incoming/tree/python/file'));
  expect(uid).toBe(install.uid ?? process.getuid?.());
  await using other = await Install.begin(index);
  const link = exported(path => symlinkSync('/etc/passwd', join(path, 'link')));
  expect(await other.freeze(link)).toMatchObject({ event: 'failed', reason: 'digest' });
});
