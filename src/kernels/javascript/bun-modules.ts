import { libc, resolveSync, Transpiler } from './bun-api.ts';
import { requireThen } from './cell-require.ts';
import { forgetDirectories } from './forget-directories.ts';
import { Freshness } from './freshness.ts';
import type { Modules } from './host.ts';
import { Installed } from './installed.ts';

/** Modules that no file holds. */
const BUILTIN = /^(?:node|bun):/;

/** Of what a link says. */
const PATH_BYTES = 256;

type NodeModule = typeof import('node:module');

/** Bun keeps modules of both kinds in `require.cache`, and forgets those that are deleted there. */
export function bunModules(directory: string, evaluate: (script: string) => unknown): Modules {
  const file = `${directory}/[cell]`;
  const { createRequire } = require('node:module') as NodeModule;
  const plain = createRequire(file);
  const { cache } = plain;
  const { keys } = Object;
  const freshness = new Freshness(directory);
  const installed = new Installed(readLink);
  const note = () => {
    for (const path of keys(cache)) freshness.note(path);
  };
  const load = evaluate('(specifier, options) => import(specifier, options)') as Modules['import'];
  const cellRequire = requireThen(plain, note);
  return {
    require: cellRequire,
    meta: {
      url: `file://${file}`,
      path: file,
      filename: file,
      file: '[cell]',
      dir: directory,
      dirname: directory,
      main: true,
      env: process.env,
      require: cellRequire,
      resolve: (specifier: string) => `file://${resolveSync(specifier, directory)}`,
      resolveSync,
    },
    async import(specifier, options) {
      try {
        return await load(specifier, options);
      } catch (error) {
        doubt(specifier, directory, freshness);
        throw error;
      } finally {
        if (!BUILTIN.test(specifier)) note();
      }
    },
    refresh() {
      if (installed.changed()) forgetDirectories(plain);
      for (const path of freshness.stale(importsOf)) delete cache[path];
    },
  };
}

/** A file that can't be loaded, and those of the workspace that it imports: Bun keeps that each of them failed. */
function doubt(specifier: string, from: string, freshness: Freshness, known = new Set<string>()): void {
  let path: string;
  try {
    path = resolveSync(specifier, from);
  } catch {
    return;
  }
  if (known.has(path) || !freshness.isWatched(path)) return;
  freshness.doubt(path);
  for (const imported of importsOf(path)) doubt(imported, from, freshness, known.add(path));
}

function readLink(path: string): string | null {
  const buffer = new Uint8Array(PATH_BYTES);
  const length = Number(libc.readlink(new TextEncoder().encode(`${path}\0`), buffer, PATH_BYTES));
  return length < 0 ? null : new TextDecoder().decode(buffer.subarray(0, length));
}

function importsOf(path: string): string[] {
  try {
    const { readFileSync } = process.getBuiltinModule('node:fs');
    const loader = /\.[cm]?[jt]sx$/.test(path) ? 'tsx' : 'ts';
    const imports = new Transpiler({ loader }).scanImports(readFileSync(path, 'utf8'));
    return imports.flatMap(each => {
      try {
        return [resolveSync(each.path, path.slice(0, path.lastIndexOf('/')))];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}
