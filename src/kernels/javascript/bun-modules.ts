import { resolveSync, Transpiler } from './bun-api.ts';
import { requireThen } from './cell-require.ts';
import { Freshness } from './freshness.ts';
import type { Modules } from './host.ts';

/** Modules that no file holds. */
const BUILTIN = /^(?:node|bun):/;

type NodeModule = typeof import('node:module');

/** Bun keeps modules of both kinds in `require.cache`, and forgets those that are deleted there. */
export function bunModules(directory: string, evaluate: (script: string) => unknown): Modules {
  const file = `${directory}/[cell]`;
  const { createRequire } = require('node:module') as NodeModule;
  const plain = createRequire(file);
  const { cache } = plain;
  const { keys } = Object;
  const freshness = new Freshness(directory);
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
      } finally {
        if (!BUILTIN.test(specifier)) note();
      }
    },
    refresh() {
      for (const path of freshness.stale(importsOf)) delete cache[path];
    },
  };
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
