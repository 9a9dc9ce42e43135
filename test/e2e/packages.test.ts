import { randomBytes } from 'node:crypto';
import { existsSync, globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type IndexedFile, PythonIndexServer, wheel } from '../support/python-index.ts';
import { http, runOnce } from '../support/rest-client.ts';
import { TestSession } from '../support/session.ts';
import { type RunningServer, startServer } from '../support/start-server.ts';
import { Packed, zip } from '../support/zip.ts';

/** Whole installs from an index of the test's, whose packages are out to do harm; what they would do is to leave a mark. */
let index: PythonIndexServer;
let server: RunningServer;
const ENV = () => ({ CODEBEAKER_INDEX_PYTHON: index.url, CODEBEAKER_RUNTIMES: 'Python' });

beforeAll(async () => {
  index = await PythonIndexServer.start();
  server = await startServer({ env: ENV() });
});
afterAll(async () => {
  await server.stop();
  await index[Symbol.asyncDispose]();
});

const run = (packages: string[], code = 'print("ran")') =>
  runOnce(server.url, { language: 'python', code, config: { packages } });

test('nothing of a package runs but what is imported, also from directories that it names, and none shadows Python’s own', async () => {
  index.add(
    'tricky',
    wheel('tricky', '1', {
      'tricky.py': 'import json; print("tricky", hasattr(json, "loads"))',
      'json.py': 'print("shadowed")',
      'tricky.pth': 'import sys; print("a path file ran")\nbelow\n../../../workspace\n/workspace\n',
      'below/lower.py': 'print("found below")',
      'sitecustomize.py': 'print("a site file ran")',
      'setup.py': 'print("setup ran")',
    }),
  );
  const code = 'import tricky, lower, sys; print(sum("workspace" in entry for entry in sys.path[1:]))';
  const stdout = 'tricky True\nfound below\n0\n';
  expect(await run(['tricky'], code)).toMatchObject({ stdout, stderr: '' });
});

test('a program imports what needs another package, from a session’s start and with extras', async () => {
  index.add('needed', wheel('needed', '2', { 'needed/__init__.py': 'answer = 42' }));
  const METADATA =
    'Metadata-Version: 2.1\nName: needing\nVersion: 1\nRequires-Dist: needed>=1; extra == "more"\n';
  index.add('needing', wheel('needing', '1', { 'needing.py': '', 'needing-1.dist-info/METADATA': METADATA }));
  expect(await run(['needing[more]'], 'import needed; print(needed.answer)')).toMatchObject({
    stdout: '42\n',
  });
});

test('an install tells how far it has come, as it goes on', async () => {
  const file = wheel('large', '1', { 'large.py': `x = '${randomBytes(1_000_000).toString('hex')}'` });
  index.add('large', file);
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  await session.command('install_packages', { packages: ['large'] }, { stream: true });
  const told = session.client.notifications
    .filter(({ method }) => method === 'execution.progress')
    .map(({ params }) => params as Record<string, string & number>);
  const phases = [...new Set(told.map(({ phase }) => phase))];
  expect(phases).toEqual(['resolve', 'download', 'install', 'verify', 'ready']);
  const downloads = told.filter(({ phase }) => phase === 'download');
  const bytes = downloads.map(each => each.bytes!);
  expect(bytes).toEqual(bytes.toSorted((one, other) => one - other));
  expect(downloads.at(-1)).toMatchObject({ package: file.filename, bytes: file.content.length });
  for (const { totalBytes } of downloads) expect(totalBytes).toBe(file.content.length);
});

describe('an install fails, and its program never starts,', () => {
  const needs = (name: string, what: string) =>
    wheel(name, '1', {
      [`${name}-1.dist-info/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: 1\nRequires-Dist: ${what}\n`,
    });
  /** A gigabyte and a quarter, in as many kilobytes. */
  const bomb = () => {
    const zeros = new Packed(Buffer.alloc(16 * 1024 * 1024), { deflated: true });
    const parts = Array.from({ length: 80 }, (_, i) => [`bomb/${i}`, zeros] as const);
    const metadata = 'Metadata-Version: 2.1\nName: bomb\nVersion: 1\n';
    const kind = 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n';
    const info = { METADATA: metadata, WHEEL: kind, RECORD: '' };
    const told = Object.entries(info).map(([name, text]) => [`bomb-1.dist-info/${name}`, text] as const);
    return zip(Object.fromEntries([...told, ...parts]));
  };
  const lies = (lines: string[]) => lines.map(line => line.replace(/^(liar\.py,sha256=)\w{4}/, '$1AAAA'));

  test.for<[string, string[], IndexedFile[], string]>([
    ['when a record lies', ['liar'], [wheel('liar', '1', { 'liar.py': 'x = 1' }, lies)], 'digest'],
    [
      'when there is only what must be built',
      ['source'],
      [{ filename: 'source-1.tar.gz', content: Buffer.from('x') }],
      'needs_build',
    ],
    [
      'when it is far larger than its archive',
      ['bomb'],
      [{ filename: 'bomb-1-py3-none-any.whl', content: bomb() }],
      'too_large',
    ],
    [
      'when two can not be had together',
      ['one', 'two'],
      [needs('one', 'base==1'), needs('two', 'base==2'), wheel('base', '1', {}), wheel('base', '2', {})],
      'conflict',
    ],
  ])('%s', async ([, packages, files, reason]) => {
    for (const file of files) index.add(file.filename.split('-')[0]!, file);
    const end = await run(packages);
    expect(end).toMatchObject({ status: 'failed', outcome: 'install_error', stdout: '', startedAt: null });
    expect(end.stderr).toContain(`(${reason}`);
  });
});

test('a file of a package that leads elsewhere is nowhere', async () => {
  const mark = `codebeaker-mark-${process.pid}`;
  index.add('climber', wheel('climber', '1', { [`../../../../tmp/${mark}`]: 'x', 'climber.py': '' }));
  const end = await run(
    ['climber'],
    `import os; print(os.listdir('/tmp'), os.path.exists('/packages/${mark}'))`,
  );
  expect(end.stdout).toBe('[] False\n');
  expect(existsSync(join('/tmp', mark))).toBe(false);
});

test('modules are compiled while the first programs use them, and for the next ones', async () => {
  index.add('compiled', wheel('compiled', '1', { 'compiled.py': '' }));
  const code = 'import os, compiled; print(os.listdir(os.path.dirname(compiled.__file__)))';
  const names = async () => (await run(['compiled'], code)).stdout as string;
  expect(await names()).not.toContain('__pycache__');
  await expect.poll(names, { timeout: 60_000, interval: 300 }).toContain('__pycache__');
  await expect.poll(() => readdirSync(join(server.dataDir, 'packages/incoming'))).toEqual([]);
});

test('versions that were installed in other lists are not fetched again, and no package changes what others get of another', async () => {
  const shown = (name: string) =>
    `import os, ${name}; print(${name}.said, os.stat(${name}.__file__).st_nlink > 1)`;
  const [one, two] = [
    wheel('partone', '1', { 'partone.py': 'said = "one"' }),
    wheel('parttwo', '1', { 'parttwo.py': 'said = "two"' }),
  ];
  index.add('partone', one);
  index.add('parttwo', two);
  index.add('partthree', wheel('partthree', '1', { 'partthree.py': 'said = "three"' }));
  index.add('usurper', wheel('usurper', '1', { 'partone.py': 'said = "usurped"', 'usurper.py': '' }));
  const both = async () => (await run(['partone', 'parttwo'], shown('partone'))).stdout as string;
  expect(await both()).toBe('one False\n');
  await expect.poll(both, { timeout: 60_000, interval: 300 }).toBe('one True\n');
  const asked = index.asked.length;
  await run(['partone', 'usurper'], 'import usurper');
  const code = `${shown('partone')}; ${shown('parttwo')}; ${shown('partthree')}; print(os.path.exists(parttwo.__cached__))`;
  expect(await run(['partone', 'parttwo', 'partthree'], code)).toMatchObject({
    stdout: 'one True\ntwo True\nthree False\nTrue\n',
    stderr: '',
  });
  const fetched = index.asked.slice(asked).filter(each => each.endsWith('.whl'));
  for (const { filename } of [one, two]) expect(fetched.join()).not.toContain(filename);
  await expect.poll(both).toBe('one True\n');
});

test('two who ask for one list at once get it from one install, and the next in no time, also in other words', async () => {
  const shared = wheel('shared', '1', { 'shared.py': 'print("shared")' });
  let served = 0;
  index.add('shared', {
    ...shared,
    answer: (_, response) => {
      served++;
      setTimeout(() => response.end(shared.content), 300);
    },
  });
  const ends = await Promise.all([run(['shared'], 'import shared'), run(['shared'], 'import shared')]);
  for (const end of ends) expect(end).toMatchObject({ stdout: 'shared\n' });
  const asked = index.asked.length;
  expect(await run(['shared'], 'import shared')).toMatchObject({ stdout: 'shared\n' });
  expect([served, index.asked.length]).toEqual([1, asked]);
  // What its own install says of its version answers no other words: that version is installed by itself meanwhile.
  const compiled = () => run(['shared'], 'import os, shared; print(os.path.exists(shared.__cached__))');
  await expect.poll(async () => (await compiled()).stdout).toContain('True');
  const before = index.asked.length;
  await using session = await TestSession.open(server.wsUrl, { language: 'python' });
  const inOtherWords = { packages: ['shared>=0.1'] };
  expect(await session.done('install_packages', inOtherWords)).toMatchObject({
    cached: true,
    installed: [{ name: 'shared', version: '1' }],
  });
  expect(await session.prints('import shared')).toBe('shared\n');
  expect(index.asked.length).toBe(before);
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  for (const outcome of ['installed', 'shared', 'cached'])
    expect(metrics).toMatch(
      new RegExp(`^codebeaker_installs_total\\{ecosystem="python",outcome="${outcome}"\\} [1-9]`, 'm'),
    );
  expect(metrics).toMatch(/^codebeaker_layers_bytes [1-9]/m);
});

test('a layer is found by who has it, and by no neighbour who guesses its name, lists where it lies or looks who tells it', async () => {
  index.add('secretive', wheel('secretive', '1', { 'secretive.py': 'print("mine")' }));
  await using owner = await TestSession.open(server.wsUrl, { language: 'python', packages: ['secretive'] });
  const layers = join(server.dataDir, 'packages/layers');
  const name = readdirSync(layers).find(each => globSync(join(layers, each, '**/secretive.py')).length > 0)!;
  const looks = `
import glob, hashlib, os
def read(path):
    try: return open(path, errors="replace").read()
    except OSError: return ""
guesses = [hash(text).hexdigest()[:32] for hash in (hashlib.md5, hashlib.sha1, hashlib.sha256)
           for text in (b"secretive", b"secretive==1", b'["secretive"]', b"python secretive", b"")]
guesses += [${JSON.stringify(name.slice(0, 31))} + "*", "*", ".", "${'0'.repeat(32)}"]
guessed = [path for guess in guesses for path in glob.glob("/packages/" + guess + "/**/secretive.py", recursive=True)]
found = [each for top in os.listdir("/") if top not in ("proc", "sys", "usr") for at, inner, files in os.walk("/" + top)
         for each in inner + files if each == ${JSON.stringify(name)} or each == "secretive.py"]
told = [path for path in glob.glob("/proc/[0-9]*/*") + glob.glob("/proc/*") if os.path.isfile(path) and "/kmsg" not in path
        and os.path.basename(path) in ("mounts", "mountinfo", "mountstats", "maps", "environ", "cmdline", "locks", "swaps", "partitions")
        and ${JSON.stringify(name)} in read(path)]
try: os.listdir("/packages")
except PermissionError: print("unlisted", end=" ")
print(guessed, found, told)`;
  expect(await owner.prints('import secretive')).toBe('mine\n');
  await using neighbour = await TestSession.open(server.wsUrl, { language: 'python' });
  expect(await neighbour.prints(looks)).toBe('unlisted [] [] []\n');
});

test('who cancels does not wait for the install, which ends with the last who wants it', async () => {
  let asked = 0;
  index.add('endless', { ...wheel('endless', '1', {}), answer: () => void asked++ });
  const request = { language: 'python', code: 'print(1)', config: { packages: ['endless'] } };
  const { body } = await http(`${server.url}/api/execution`, 'POST', request);
  await expect.poll(() => asked).toBe(1);
  const { body: end } = await http(`${server.url}/api/execution/${body.executionId}`, 'DELETE');
  expect(end).toMatchObject({ status: 'cancelled', outcome: 'cancelled' });
  await expect.poll(() => readdirSync(join(server.dataDir, 'packages/incoming'))).toEqual([]);
});

test('a server that is killed in an install leaves no half layer; the next one, which forks none, installs it, and nothing that has no room beside what is used', async () => {
  let hold = true;
  const size = 10_000;
  const late = wheel('late', '1', { 'late.py': `print("late") # ${'x'.repeat(size)}` });
  index.add('wide', wheel('wide', '1', { 'wide.py': '#'.repeat(2 * size) }));
  index.add('late', {
    ...late,
    answer: (_, response) => {
      if (hold) response.write(late.content.subarray(0, 10));
      else response.end(late.content);
    },
  });
  const killed = await startServer({ env: ENV() });
  const packages = join(killed.dataDir, 'packages');
  const request = { language: 'python', code: 'import late', config: { packages: ['late'] } };
  await http(`${killed.url}/api/execution`, 'POST', request);
  await expect.poll(() => index.asked.some(each => each.includes(late.filename))).toBe(true);
  expect(readdirSync(join(packages, 'incoming'))).toHaveLength(1);
  await killed.kill9();
  hold = false;
  // uv alone.
  const [record, ...others] = readdirSync(join(packages, 'records'));
  expect(others).toEqual([]);
  const { name, bytes, overhead } = JSON.parse(readFileSync(join(packages, 'records', record!), 'utf8'));
  expect(bytes).toBe(statSync(join(packages, 'layers', name, 'uv')).size);
  // Its sandboxes come by bubblewrap.
  const env = {
    ...ENV(),
    CODEBEAKER_PACKAGES_BYTES: `${bytes + overhead + 2.5 * size}`,
    CODEBEAKER_FORK: 'off',
  };
  const again = await startServer({ env, dataDir: killed.dataDir });
  expect(readdirSync(join(packages, 'layers'))).toHaveLength(1);
  expect(readdirSync(join(packages, 'incoming'))).toEqual([]);
  expect(await runOnce(again.url, request)).toMatchObject({ stdout: 'late\n' });
  const wide = { language: 'python', code: 'import wide; print("wide")', config: { packages: ['wide'] } };
  {
    await using session = await TestSession.open(again.wsUrl, { language: 'python', ...request.config });
    const refused = await runOnce(again.url, wide);
    expect(refused).toMatchObject({ outcome: 'install_error', stdout: '', startedAt: null });
    expect(refused.stderr).toContain(
      'it would take more than CODEBEAKER_PACKAGES_BYTES on this server (too_large)',
    );
    expect(await session.prints('import late')).toBe('late\n');
  }
  expect(await runOnce(again.url, wide)).toMatchObject({ stdout: 'wide\n' });
  expect(await again.stop()).toBe(0);
});

test('without an index what is installed stays, and what is not is refused soon', async () => {
  const end = await runOnce(server.url, {
    language: 'python',
    code: 'import shared',
    config: { packages: ['shared'] },
  });
  expect(end).toMatchObject({ stdout: 'shared\n' });
  await index.close();
  expect(await run(['shared'], 'import shared')).toMatchObject({ stdout: 'shared\n' });
  const missed = await run(['never-seen']);
  expect(missed).toMatchObject({ outcome: 'install_error' });
  expect(missed.stderr).toContain('(registry_unreachable)');
});
