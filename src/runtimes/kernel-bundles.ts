import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KERNELS } from '../toolchains/toolchain.ts';
import { guarded } from '../wire/guarded.ts';

/** Compiled beforehand, by the Bun that runs it. */
const FOR_BUN = ['--target', 'bun', '--format', 'cjs', '--bytecode'];

const FOR_NODE = ['--target', 'node'];
const FOR_REQUIRE = [...FOR_NODE, '--format', 'cjs'];
/** What lies beside another bundle. */
const BESIDE = ['--external', '*/bun-typescript.js', '--external', '*.json'];
/** Half as much to read; names stay, which errors tell. */
const SMALL = ['--minify-whitespace', '--minify-syntax'];

/** Globals that a cell may declare for itself, and that a kernel needs as they were: it knows them by other names. */
const GLOBALS =
  `AggregateError Array Atomics BigInt Buffer DataView DOMException Error Function Int32Array JSON Map Math Number Object Promise
  Proxy ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError TextDecoder TextEncoder TypeError URL Uint8Array WeakMap
  console globalThis isNaN parseFloat parseInt process setImmediate setTimeout`.split(/\s+/);
const RENAMED = GLOBALS.flatMap(name => ['--define', `${name}=kept$${name}`]);
const NAMES = GLOBALS.map(name => `${name}: kept$${name}`).join();
/** Of what is read while cells run: as its kernel has kept them, or as they are where there is none. */
const KEPT_BEFORE = [
  ...RENAMED,
  '--banner',
  `const { ${NAMES} } = typeof __cellKept === 'undefined' ? globalThis : __cellKept;`,
];
const KEPT = [
  ...RENAMED,
  '--banner',
  `const { ${NAMES} } = globalThis; kept$Object.defineProperty(globalThis, '__cellKept', { value: { ${NAMES} } });`,
];

/** Kernels that are bundled into one file each: the entry below src/kernels, where it goes, and on what it runs. */
const FILES = [
  ['javascript/bun.ts', 'javascript/bun.js', [...FOR_BUN, ...KEPT]],
  ['javascript/bun-typescript.ts', 'javascript/bun-typescript.js', [...FOR_BUN, ...KEPT_BEFORE]],
  ['prewarm/bun.ts', 'prewarm/bun/hold.js', ['--target', 'bun', '--format', 'cjs']],
  ['javascript/v8/start-node.ts', 'javascript/node.cjs', FOR_REQUIRE],
  ['javascript/v8/start-deno.ts', 'javascript/deno.mjs', FOR_NODE],
  ['javascript/v8/before-node.ts', 'javascript/require.cjs', FOR_REQUIRE],
  ['javascript/v8/before-deno.ts', 'javascript/require.mjs', FOR_NODE],
  ['prewarm/node.ts', 'prewarm/node.cjs', FOR_REQUIRE],
  // Beside what it may import.
  ['prewarm/deno.ts', 'javascript/held.mjs', FOR_NODE],
  ['debugging/main.ts', 'debugging/adapter.mjs', FOR_NODE],
  ['javascript/v8/deno-fs.ts', 'javascript/deno-fs.mjs', FOR_NODE],
  ['javascript/v8/deno-fs-promises.ts', 'javascript/deno-fs-promises.mjs', FOR_NODE],
] as const;

/** Scripts that these start, each a string of JSON; src/kernels/javascript/v8/evaluated.ts says how. */
const SCRIPTS = [
  ['javascript/v8/main-node.ts', 'javascript/node', KEPT],
  ['javascript/v8/main-deno.ts', 'javascript/deno', KEPT],
  ['javascript/v8/typescript.ts', 'javascript/typescript', KEPT_BEFORE],
] as const;

/** Those of Bun and Deno, which no image is run with: two fifths of the library. */
export const NO_IMAGES = /^(javascript\/(bun|deno|held\.mjs|require\.mjs)|prewarm\/bun)/;

export const BUNDLES = [FILES, SCRIPTS, BESIDE, SMALL, NO_IMAGES.source];

/** A bundle can't be made; the message is the bundler's. */
export class BundleUnable extends Error {}

/** Bundles the kernels in `sources` into a directory. @throws {BundleUnable} */
export async function bundleKernels(bun: string, sources: string, target: string): Promise<void> {
  const bundle = (entry: string, name: string, options: readonly string[]) => {
    const place = ['--outdir', target, '--entry-naming', name];
    return build(bun, [...options, ...BESIDE, ...SMALL, join(sources, entry), ...place]);
  };
  await Promise.all([
    ...FILES.map(([entry, name, options]) => bundle(entry, name, options)),
    ...SCRIPTS.map(async ([entry, name, options]) => {
      const file = join(target, `${name}-script.cjs`);
      await bundle(entry, `${name}-script.cjs`, [...FOR_REQUIRE, ...options]);
      writeFileSync(join(target, `${name}.json`), JSON.stringify(scriptOf(readFileSync(file, 'utf8'), name)));
      rmSync(file);
    }),
  ]);
}

/** ASCII, of which V8 keeps one byte a character and not two. */
function scriptOf(text: string, name: string): string {
  const escaped = text.replace(
    /[^\0-\x7f]/g,
    unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `(function (require, exports, module) {${escaped}\n})\n//# sourceURL=file://${KERNELS}/${name}.js`;
}

async function build(bun: string, args: readonly string[]): Promise<void> {
  const building = spawn(bun, ['build', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  const onData = (chunk: Buffer) => {
    words += chunk;
  };
  building.stderr.on(
    'data',
    guarded(onData, () => building.kill()),
  );
  const [code] = await once(building, 'close');
  if (code !== 0) throw new BundleUnable(words.trim());
}
