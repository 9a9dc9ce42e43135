import { resolveSync, Transpiler } from './bun-api.ts';
import { requireThen } from './cell-require.ts';
import { Freshness } from './freshness.ts';
import type { Modules } from './host.ts';

/** Modules that no file holds. */
const BUILTIN = /^(?:node|bun):/;

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
  /** Taken out, or not taken in for a failure, and not read again since. */
  const missing = new Set<string>();
  const note = () => {
    for (const path of keys(cache)) {
      freshness.note(path);
      missing.delete(path);
    }
  };
  /** Notes what is not there of a module and what it imports, and returns that, what is imported first. */
  const miss = (path: string, found = new Set<string>()): Iterable<string> => {
    if (path in cache || found.has(path) || !freshness.isWatched(path)) return [];
    found.add(path);
    missing.add(path);
    for (const imported of importsOf(path)) miss(imported, found);
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
        const missed = path === null ? [] : miss(path);
        // Bun forgets no module that it has read and not run.
        if (UNLINKED.test(String(error))) for (const each of missed) await load(each).catch(() => {});
        throw error;
      } finally {
        if (!BUILTIN.test(specifier)) note();
      }
    },
    refresh() {
      for (const path of freshness.stale(importsOf)) missing.add(path);
      // Bun fails again as it did, unless it is told to forget what it has not kept.
      for (const path of missing) delete cache[path];
    },
  };
}

/** The file that a name means, where its links lead now: Bun follows them once. Null for what is no file of the workspace. */
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
