import { execFile } from 'node:child_process';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** A clone of its own, in which sources may change. */
const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const CACHE = 'node_modules/.cache/codebeaker-bundles';
let clone: string;
beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), 'codebeaker-clone-'));
  for (const name of ['src', 'plugins', 'routes', 'package.json', 'package-lock.json'])
    await cp(join(ROOT, name), join(clone, name), { recursive: true });
  await mkdir(join(clone, 'node_modules'));
  for (const name of await readdir(join(ROOT, 'node_modules')))
    if (name !== '.cache') await symlink(join(ROOT, 'node_modules', name), join(clone, 'node_modules', name));
  // As where others may write what is made by default.
  const build = [join(ROOT, 'node_modules/.bin/bun'), join(clone, 'src/bundle/build.ts')];
  await run('sh', ['-c', 'umask 0; exec "$0" "$1"', ...build]);
});
afterAll(() => rm(clone, { recursive: true, force: true }));

const help = async () => (await run(process.execPath, [join(clone, 'src/server.mjs'), '--help'])).stdout;
/** What is run as the launcher by a server that runs from sources. */
const launcher = async () => {
  const [bundled, main] = ['src/bundle/bundled.ts', 'src/launcher/main.ts'].map(path => join(clone, path));
  const print = 'import(process.argv[1]).then(({ bundled }) => console.log(bundled(process.argv[2])))';
  return relative(clone, (await run(process.execPath, ['-e', print, bundled!, main!])).stdout.trim());
};
const change = async (path: string, from: string, to: string) => {
  const file = join(clone, path);
  await writeFile(file, (await readFile(file, 'utf8')).replaceAll(from, to));
};

test('a bundle has of Node no more than it uses', async () => {
  const { directory } = JSON.parse(await readFile(join(clone, CACHE, 'manifest.json'), 'utf8'));
  const bundle = await readFile(join(clone, CACHE, directory, 'src/server.mjs'), 'utf8');
  const imported = bundle.match(/^import .*"node:\w+";$/gm) ?? [];
  expect(imported.filter(line => !line.endsWith('"node:module";'))).toEqual([]);
});

test('the launcher that a bundle starts is one too', async () => {
  const { directory } = JSON.parse(await readFile(join(clone, CACHE, 'manifest.json'), 'utf8'));
  const bundles = join(clone, CACHE, directory, 'src');
  expect(await readFile(join(bundles, 'server.mjs'), 'utf8')).toContain('"launcher/main.mjs"');
  const launcher = [join(ROOT, 'node_modules/.bin/bun'), join(bundles, 'launcher/main.mjs')];
  const { stdout } = await run('sh', ['-c', '"$0" "$1" < /dev/null', ...launcher]);
  // Nobody has told it what it is for.
  expect(JSON.parse(stdout)).toMatchObject({ event: 'unable' });
});

test('a server marks the bundles that it starts others of, and a setup removes what nobody has marked for a day', async () => {
  const { directory } = JSON.parse(await readFile(join(clone, CACHE, 'manifest.json'), 'utf8'));
  const kept = (name: string) => join(clone, CACHE, name);
  for (const name of [directory, 'unmarked', 'marked']) {
    await mkdir(kept(name), { recursive: true });
    if (name !== 'marked') await utimes(kept(name), 0, 0);
  }
  await help();
  expect((await stat(kept(directory))).mtimeMs).toBeGreaterThan(Date.now() - 3600_000);
  await run(join(ROOT, 'node_modules/.bin/bun'), [join(clone, 'src/bundle/build.ts')]);
  expect(await readdir(join(clone, CACHE))).toEqual(expect.not.arrayContaining(['unmarked']));
  expect(await readdir(join(clone, CACHE))).toEqual(expect.arrayContaining([directory, 'marked']));
});

test('a start loads the bundle, and the sources when one has changed', async () => {
  const { directory } = JSON.parse(await readFile(join(clone, CACHE, 'manifest.json'), 'utf8'));
  await change(join(CACHE, directory, 'src/server.mjs'), 'npm start runs the service', 'This is the bundle');
  expect(await help()).toMatch(/^This is the bundle/);
  await change('src/server.ts', 'npm start runs the service', 'This is the changed source');
  expect(await help()).toMatch(/^This is the changed source/);
});

test('nobody else writes what is run, and everybody who may run it reads it', async () => {
  const { directory } = JSON.parse(await readFile(join(clone, CACHE, 'manifest.json'), 'utf8'));
  const made = ['', 'src', 'src/launcher', 'src/server.mjs', 'src/launcher/main.mjs'];
  const modes = ['.', 'manifest.json', ...made.map(path => join(directory, path))].map(
    async path => (await stat(join(clone, CACHE, path))).mode & 0o777,
  );
  expect(await Promise.all(modes)).toEqual([0o755, 0o644, 0o755, 0o755, 0o755, 0o644, 0o644]);
});

test('a bundle that was moved with its clone, or that is gone, is not missed', async () => {
  await run(join(ROOT, 'node_modules/.bin/bun'), [join(clone, 'src/bundle/build.ts')]);
  expect(await launcher()).toMatch(/^node_modules\/.*\/src\/launcher\/main\.mjs$/);
  await change(join(CACHE, 'manifest.json'), clone, '/elsewhere');
  expect(await help()).toMatch(/^This is the changed source/);
  await change(join(CACHE, 'manifest.json'), '/elsewhere', clone);
  for (const name of await readdir(join(clone, CACHE)))
    if (name !== 'manifest.json') await rm(join(clone, CACHE, name), { recursive: true });
  expect(await help()).toMatch(/^This is the changed source/);
  expect(await launcher()).toBe('src/launcher/main.ts');
});
