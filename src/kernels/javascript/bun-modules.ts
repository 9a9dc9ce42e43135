import { libc, resolveSync, Transpiler } from './bun-api.ts';
import { requireThen } from './cell-require.ts';
import { forgetDirectories, forgetRoot } from './forget-directories.ts';
import { Freshness } from './freshness.ts';
import type { Modules } from './host.ts';
import { Installed } from './installed.ts';

/** Modules that no file holds. */
const BUILTIN = /^(?:node|bun):/;

/** Of what a link says. */
const PATH_BYTES = 256;
/** What Bun says of modules that import what others do not export. */
const UNLINKED = /^SyntaxError: export '.*' not found in /;

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
  /** A file that can't be loaded, and those of the workspace that it imports, which come first: Bun keeps that each of them failed. */
  const notLoaded = (name: string, found = new Set<string>()): string[] => {
    const path = pathOf(name, directory);
    if (path === null || path in cache || found.has(path) || !freshness.isWatched(path)) return [];
    found.add(path);
    for (const imported of importsOf(path)) notLoaded(imported, found);
    return [...found].reverse();
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
      const path = pathOf(String(specifier), directory);
      try {
        return await load(path ?? specifier, options);
      } catch (error) {
        const failed = notLoaded(path ?? specifier);
        // Bun forgets no module that it has read and not run.
        if (UNLINKED.test(String(error))) for (const each of failed) await load(each).catch(() => {});
        for (const each of failed) freshness.doubt(each);
        throw error;
      } finally {
        if (!BUILTIN.test(specifier)) note();
      }
    },
    refresh() {
      const forget = installed.layer === null ? forgetRoot : forgetDirectories;
      if (installed.changed()) forget(plain);
      for (const path of freshness.stale(importsOf)) delete cache[path];
    },
  };
}

/** The file that a path means, where its links lead now: Bun follows them once. Null for what is no path, or leads nowhere. */
function pathOf(specifier: string, directory: string): string | null {
  if (!/^\.{0,2}\//.test(specifier)) return null;
  const { existsSync, realpathSync } = process.getBuiltinModule('node:fs');
  const wanted = process.getBuiltinModule('node:path').resolve(directory, specifier);
  try {
    return existsSync(wanted) ? realpathSync(wanted) : resolveSync(specifier, directory);
  } catch {
    return null;
  }
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
