import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cli } from '../support/cli.ts';
import { NpmRegistryServer, published } from '../support/npm-registry.ts';
import { PythonIndexServer, wheel } from '../support/python-index.ts';
import { TestSession } from '../support/session.ts';
import { digestOf, sourceArchive } from '../support/source-archive.ts';
import { type RunningServer, SERVER_SECRET, startServer } from '../support/start-server.ts';

/** Packages that are built, or bring scripts, whose code is out to do harm. */
let index: PythonIndexServer;
let registry: NpmRegistryServer;
let server: RunningServer;
/** Of a process that packages leave behind: no other has this argument. */
const MARK = `98765.${process.pid}`;
const KEYS = ['key-of-one', 'key-of-another'] as const;

beforeAll(async () => {
  [index, registry] = await Promise.all([PythonIndexServer.start(), NpmRegistryServer.start()]);
  const env = { CODEBEAKER_INDEX_PYTHON: index.url, CODEBEAKER_INDEX_NODE: registry.url };
  server = await startServer({ env: { ...env, CODEBEAKER_API_KEYS: KEYS.join() } });
});
afterAll(async () => {
  await server.stop();
  for (const each of [index, registry]) await each[Symbol.asyncDispose]();
});

const open = (key: string = KEYS[0]) =>
  TestSession.open(server.wsUrl, { language: 'python', runtimeType: 'Python' }, { 'x-api-key': key });

async function source(name: string, building: string) {
  const archive = await sourceArchive(name, '1', building);
  index.add(name, archive);
  return archive;
}

const processes = () =>
  readdirSync('/proc').filter(pid => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(MARK);
    } catch {
      return false;
    }
  });
const nothingIsLeft = () =>
  expect
    .poll(() => [processes(), readdirSync(join(server.dataDir, 'packages/incoming'))], { timeout: 15_000 })
    .toEqual([[], []]);

test('a source archive is built where a request allows it, by code that has the registry and nothing else', async () => {
  const archive = await source(
    'looking',
    `
import errno, glob, http.client, os, socket
def tried(what):
  try: return what()
  except OSError as error: return errno.errorcode[error.errno]
def asked(method, path):
  gateway = http.client.HTTPConnection('127.0.0.1', 3128)
  gateway.request(method, path, body='what is secret' if method == 'POST' else None)
  return gateway.getresponse().status
environments = [tried(lambda: open(path).read()) for path in glob.glob('/proc/*/environ')]
seen = {
  'user': os.getuid() != 0 and os.geteuid() != 0,
  'packages': tried(lambda: os.listdir('/packages')),
  'session': any('mine.txt' in names for _, _, names in os.walk('/')),
  'secret': any('${SERVER_SECRET}' in each for each in environments),
  'network': [tried(lambda: socket.create_connection(at, 2)) for at in [('192.0.2.1', 443), ('127.0.0.1', 80)]],
  'gateway': [asked('POST', '/simple/looking/'), asked('GET', '/simple/looking/'), asked('GET', '/secret')],
}
files['looking.py'] = f'seen = {seen!r}'
`,
  );
  await using session = await open();
  await session.done('write_file', { path: 'mine.txt', content: 'of the session' });
  // What a program of the session answers where installers look for their registry is nobody's.
  await session.prints('import socket; held = socket.create_server(("127.0.0.1", 3128))');
  const packages = ['looking'];
  const unbuilt = await session.command('install_packages', { packages });
  expect(unbuilt).toMatchObject({ success: false, result: { reason: 'needs_build' } });
  expect(unbuilt.error).toContain('looking has no wheels: `install_packages` builds it');
  const { installed, cached } = await session.done('install_packages', { packages, build: true });
  expect(installed).toMatchObject([{ name: 'looking', version: '1', digest: digestOf(archive) }]);
  expect(cached).toBe(false);
  const seen = await session.prints('import json, looking; print(json.dumps(looking.seen))');
  expect(JSON.parse(seen)).toEqual({
    user: true,
    packages: 'EACCES',
    session: false,
    secret: false,
    network: ['ENETUNREACH', 'ECONNREFUSED'],
    gateway: [405, 200, 404],
  });
  // What the session has stays when it installs more, which then is one list with it.
  index.add('plain', wheel('plain', '1', { 'plain.py': '' }));
  const more = await session.done('install_packages', { packages: ['plain'] });
  expect(more.installed).toMatchObject([{ name: 'looking' }, { name: 'plain' }]);
  await nothingIsLeft();
});

test('what was built for one key’s clients is no other’s, nor what the same list is without building', async () => {
  await source('random', `import os; files['random_one.py'] = f'made = {os.urandom(8).hex()!r}'`);
  await source('fixed', `files['victim.py'] = 'evil = True'`);
  index.add('victim', wheel('victim', '1', { 'victim.py': 'evil = False' }));
  await using one = await open();
  await using again = await open();
  await using other = await open(KEYS[1]);
  const random = { packages: ['random'], build: true };
  const made = await one.done('install_packages', random);
  expect(await again.done('install_packages', random)).toMatchObject({ cached: true, layer: made.layer });
  const env = { CODEBEAKER_URL: server.url, CODEBEAKER_API_KEY: KEYS[1] };
  const printed = await cli(['install', other.id, 'random', '--build', '--json'], { env });
  const others = JSON.parse(printed.stdout);
  expect(others.cached).toBe(false);
  expect(others.layer).not.toBe(made.layer);
  const said = (session: TestSession) => session.prints('import random_one; print(random_one.made)');
  expect(await said(again)).toBe(await said(one));
  expect(await said(other)).not.toBe(await said(one));
  // The same files, and a layer each all the same.
  const ids: string[] = [];
  for (const key of KEYS) {
    await using session = await open(key);
    const { layer, cached } = await session.done('install_packages', { packages: ['fixed'], build: true });
    expect(cached).toBe(false);
    ids.push(layer);
    const real = session.prints('import os; print(os.path.realpath("/home/sandbox/.packages/python"))');
    ids.push(await real);
  }
  expect(new Set(ids).size).toBe(4);
  for (const key of KEYS) {
    await using session = await open(key);
    const refused = await session.command('install_packages', { packages: ['fixed'] });
    expect(refused).toMatchObject({ success: false, result: { reason: 'needs_build' } });
    await session.done('install_packages', { packages: ['victim'] });
    expect(await session.prints('import victim; print(victim.evil)')).toBe('False\n');
  }
});

const LINGERS = `os.execvp('sleep', ['sleep', '${MARK}'])`;
const OUT = '/workspace/out/python';

describe('of a build that', () => {
  test.for<[string, string, string, RegExp, number?]>([
    [
      'fails, the last words are told',
      'raise OSError("no compiler here")',
      'needs_build',
      /no compiler here/,
    ],
    // Its installer waits for all that hold its output.
    ['starts processes without end', `while os.fork(): pass\n${LINGERS}`, 'timeout', /^$/, 5],
    ['waits for ever', LINGERS, 'timeout', /^$/, 4],
    ['takes all memory', `x = b'x' * (3 << 30)`, 'too_large', /Failed to build/],
    [
      'fills the disk',
      `with open('/workspace/x', 'w') as f:\n while f.write('x' * 10**7): pass`,
      'too_large',
      /space/,
    ],
    [
      'plants a link',
      `os.makedirs('${OUT}', exist_ok=True); os.symlink('/etc/passwd', '${OUT}/x')`,
      'digest',
      /^$/,
    ],
    [
      'makes a hundred gigabytes of nothing',
      `os.makedirs('${OUT}', exist_ok=True); open('${OUT}/x', 'w').truncate(100 << 30)`,
      'too_large',
      /^$/,
    ],
    ['plants a pipe', `os.makedirs('${OUT}', exist_ok=True); os.mkfifo('${OUT}/x')`, 'digest', /^$/],
    [
      'plants a file with the rights of its owner',
      `os.makedirs('${OUT}', exist_ok=True); open('${OUT}/x', 'w').close(); os.chmod('${OUT}/x', 0o4755)`,
      'digest',
      /^$/,
    ],
  ])('%s, and nothing stays of it', async ([title, building, reason, words, timeout]) => {
    const name = title.replace(/\W/g, '').slice(0, 20);
    await source(name, `import os\n${building}`);
    await using session = await open();
    const asked = { packages: [name], build: true, ...(timeout && { timeout }) };
    const answer = await session.command('install_packages', asked);
    expect(answer).toMatchObject({ success: false, result: { outcome: 'install_error', reason } });
    expect(answer.result.words).toMatch(words);
    await nothingIsLeft();
    expect((await session.cell(`import ${name}`)).error).toContain('No module named');
  });

  test('leaves processes running, they end before what it made is looked at', async () => {
    await source(
      'leaving',
      `
import os, glob, time
for each in range(3): files[f'large{each}.txt'] = 'x' * 10**7
if os.fork() == 0:
  os.setsid()
  os.closerange(0, 64)
  if os.fork(): os._exit(0)
  if os.fork() == 0: ${LINGERS}
  def exported(pid):
    try: return b'export' in open(f'/proc/{pid}/cmdline', 'rb').read()
    except OSError: return False
  while not any(exported(pid) for pid in os.listdir('/proc') if pid.isdigit()): time.sleep(0.001)
  for path in glob.glob('${OUT}/*.*'):
    with open(path, 'a') as file: file.write('x')
`,
    );
    await using session = await open();
    await session.done('install_packages', { packages: ['leaving'], build: true });
    expect(await session.prints('import leaving; print(leaving.built)')).toBe('True\n');
    await nothingIsLeft();
  });
});

const SCRIPT = (code: string) => ({ scripts: { postinstall: `node -e "${code}"` } });

test('scripts of npm’s packages run where a request allows it, those of what they need before their own', async () => {
  const write = (text: string) => `require('fs').writeFileSync('made.js', ${text})`;
  const slowly = SCRIPT(`setTimeout(() => ${write(`'module.exports = 41'`)}, 300)`);
  const made = SCRIPT(write(`'module.exports = ' + (require('below/made.js') + 1)`));
  registry.add(
    await published('below', '1.0.0', {}, { manifest: slowly }),
    await published('above', '1.0.0', {}, { manifest: { ...made, dependencies: { below: '*' } } }),
    await published('quiet', '1.0.0', { 'index.js': 'module.exports = 1' }),
  );
  const seen = `console.log(['above', 'below'].map(name => require('fs').readdirSync('/node_modules/' + name).join()).join(' '))`;
  await using session = await open();
  const npm = { manager: 'npm', packages: ['above'] };
  const javascript = { language: 'javascript' };
  await session.done('install_packages', npm);
  expect(await session.prints(seen, javascript)).toBe('package.json package.json\n');
  const built = await session.done('install_packages', { ...npm, build: true });
  expect(built).toMatchObject({ cached: false, installed: [{ name: 'above' }, { name: 'below' }] });
  expect(await session.prints(seen, javascript)).toBe('made.js,package.json made.js,package.json\n');
  expect(await session.prints('console.log(require("above/made.js"))', javascript)).toBe('42\n');
  // By the headers that node-gyp would find too. bun itself trusts packages of this name.
  const source = `#include <node_api.h>
NAPI_MODULE_INIT() { napi_create_int32(env, 43, &exports); return exports; }`;
  const install = 'cc -I$npm_config_nodedir/include/node -shared -fPIC -o it.node it.c';
  const compiled = { main: 'it.node', scripts: { install } };
  registry.add(await published('cpu-features', '1.0.0', { 'it.c': source }, { manifest: compiled }));
  await session.done('install_packages', { ...npm, packages: ['cpu-features'], build: true });
  expect(await session.prints('console.log(require("cpu-features"))', javascript)).toBe('43\n');
  // A list without a script is none that fails.
  await using other = await open(KEYS[1]);
  await other.done('install_packages', { manager: 'npm', packages: ['quiet'], build: true });
  expect(await other.prints('console.log(require("quiet"))', javascript)).toBe('1\n');
  await nothingIsLeft();
});

test.for<[string, string, string, RegExp, number?]>([
  ['fails', `console.error('no compiler here'); process.exit(127)`, 'needs_build', /no compiler here/],
  ['waits for ever', `require('child_process').execFileSync('sleep', ['${MARK}'])`, 'timeout', /^$/, 5],
  ['plants a link', `require('fs').symlinkSync('/etc/passwd', 'planted')`, 'digest', /^$/],
])(
  'a script of npm’s that %s fails its install, and nothing stays of it',
  async ([what, code, reason, words, timeout]) => {
    const name = what.replaceAll(' ', '-');
    registry.add(await published(name, '1.0.0', {}, { manifest: SCRIPT(code) }));
    await using session = await open();
    const asked = { manager: 'npm', packages: [name], build: true, ...(timeout && { timeout }) };
    const answer = await session.command('install_packages', asked);
    expect(answer).toMatchObject({ success: false, result: { outcome: 'install_error', reason } });
    expect(answer.result.words).toMatch(words);
    await nothingIsLeft();
  },
);
