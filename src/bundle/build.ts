import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleOf, DIRECTORY, MANIFEST, type Manifest, markOf, ROOT } from './fresh-bundle.mjs';

/**
 * Makes one file each of the server and its processes and all that they import, which are 1,800 modules: Node would look for, read and link
 * them one by one at each start. Run by setup, with Bun.
 */

const SERVER = 'src/server.ts';
/** Modules that the server has run by a thread or process of their own. */
const OTHERS = [
  'src/service/store/execution-store-worker.ts',
  'src/network/egress/main.ts',
  'src/packages/registry/main.ts',
];
/** Run by Bun, which would compile each of its forty modules at each start. */
const LAUNCHER = 'src/launcher/main.ts';
/** What is resolved by them. */
const PACKAGES = ['package.json', 'package-lock.json', 'node_modules/.package-lock.json'];
const OURS = /\/(src|plugins|routes)\/.*\.ts$/;
/**
 * What dockerode loads with itself and the service calls nothing of, an engine behind ssh and sessions of BuildKit, with what these
 * load: a fifth of all.
 */
const UNUSED = /\/node_modules\/(docker-modem\/lib\/ssh|dockerode\/lib\/session)\.js$/;
const NOTHING = 'module.exports = () => { throw new Error("this is not part of the bundle"); };';
/** Native modules that packages try to load and do without. */
const NATIVE = ['*.node', 'cpu-features'];
/**
 * Others than these and the last ones are removed after this long, milliseconds: a server runs the last ones until it is started again,
 * one that starts may have chosen others, and one that runs marks its own every few hours (server.mjs).
 */
const OLD_MS = 24 * 3600 * 1000;

// Whoever may run the server reads them, and nobody else than who sets it up writes what is run.
process.umask(0o022);
const sources: Record<string, string> = {};
for (const path of PACKAGES) note(join(ROOT, path));
const outputs = [
  ...(await build([SERVER, ...OTHERS], 'node', [{ name: 'builtin', setup: takeBuiltin }])),
  ...(await build([LAUNCHER], 'bun', [])),
];
const bundles = await Promise.all(
  outputs.map(async output => [output.path, inAscii(textOf(output.path, await output.text()))] as const),
);
const hash = createHash('sha256').update(JSON.stringify(bundles)).digest('hex').slice(0, 16);
for (const [path, mark] of Object.entries(sources))
  if (markOf(path) !== mark) throw new Error(`${path} was changed meanwhile`);
for (const [path, text] of bundles) replace(join(DIRECTORY, hash, path), text);
const before = oldManifest();
const last = before?.directory === hash ? before.last : (before?.directory ?? null);
replace(MANIFEST, JSON.stringify({ root: ROOT, directory: hash, last, sources } satisfies Manifest));
for (const name of readdirSync(DIRECTORY)) {
  const path = join(DIRECTORY, name);
  const old = Date.now() - statSync(path).mtimeMs > OLD_MS;
  if (old && ![hash, last, basename(MANIFEST)].includes(name)) rmSync(path, { recursive: true, force: true });
}
console.log('setup: the server is bundled.');

async function build(entries: readonly string[], target: 'node' | 'bun', plugins: Bun.Plugin[]) {
  const { outputs } = await Bun.build({
    entrypoints: entries.map(entry => join(ROOT, entry)),
    root: ROOT,
    naming: '[dir]/[name].mjs',
    target,
    format: 'esm',
    external: NATIVE,
    // It would be the one of the build.
    define: { 'process.env.NODE_ENV': 'process.env.NODE_ENV' },
    plugins: [
      { name: 'places', setup: build => build.onLoad({ filter: /./, namespace: 'file' }, load) },
      ...plugins,
    ],
  });
  return outputs;
}

function oldManifest(): Manifest | null {
  try {
    return JSON.parse(readFileSync(MANIFEST, 'utf8'));
  } catch {
    return null;
  }
}

function note(path: string): void {
  const name = relative(ROOT, path);
  sources[name] ??= markOf(name);
}

function load({ path }: { path: string }) {
  note(path);
  if (UNUSED.test(path)) return { contents: NOTHING, loader: 'js' as const };
  if (!OURS.test(path)) return undefined;
  return { contents: withPlaces(readFileSync(path, 'utf8'), path), loader: 'ts' as const };
}

/**
 * Node's own modules, as `require` has them. An import has Node read all that a module exports, and with `node:http` it loads all of
 * `fetch` and more: 75 of its modules, a tenth of a start.
 */
function takeBuiltin(build: Bun.Build): void {
  build.onResolve({ filter: /^node:(?!module$)/ }, ({ path }) => ({ path, namespace: 'builtin' }));
  build.onLoad({ filter: /./, namespace: 'builtin' }, ({ path }) => ({
    contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)});`,
    loader: 'js',
  }));
}

/** Files that a module reads lie beside its source, not beside the bundle; what it starts is a bundle too. */
function withPlaces(source: string, path: string): string {
  const url = pathToFileURL(path);
  const places: Record<string, string> = { url: url.href, dirname: dirname(path), filename: path };
  return source
    .replace(/new URL\('(\.[^']*\.ts)', import\.meta\.url\)/g, (all, target) => {
      const entry = relative(ROOT, fileURLToPath(new URL(target, url)));
      if (![...OTHERS, LAUNCHER].includes(entry)) return all;
      return `new URL(${JSON.stringify(relative(dirname(SERVER), bundleOf(entry)))}, globalThis.__here)`;
    })
    .replace(/\bimport\.meta\.(url|dirname|filename)\b/g, (_, place) => JSON.stringify(places[place]))
    .replaceAll('globalThis.__here', 'import.meta.url');
}

/** The server's is a script that run-bundle.mjs runs, because Node keeps of a module only what is compiled before it runs. */
function textOf(path: string, text: string): string {
  return path.endsWith(bundleOf(SERVER)) ? asFunction(text) : text;
}

/** A module's text as a function of what it takes for `import.meta`. Of imports there are those of `node:module`. */
function asFunction(text: string): string {
  const imports: string[] = [];
  const rest = text.replace(/^import \{ (.*) \} from "node:module";$/gm, (_, names: string) => {
    imports.push(`const { ${names.replaceAll(' as ', ': ')} } = process.getBuiltinModule('node:module');`);
    return '';
  });
  const body = rest.replaceAll(/\bimport\.meta\b/g, '__meta');
  return `(async function (__meta) { 'use strict'; ${imports.join(' ')}\n${body}\n})`;
}

/** Of which V8 keeps one byte a character and not two. */
function inAscii(text: string): string {
  return text.replace(/[^\0-\x7f]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Nobody reads half of it, and no other clone that shares the old file sees the new one. */
function replace(path: string, content: string): void {
  const unfinished = `${path}.${process.pid}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(unfinished, content);
  renameSync(unfinished, path);
}
