import module, { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { requireThen } from '../cell-require.ts';
import { Freshness } from '../freshness.ts';
import type { Modules } from '../host.ts';
import { sourceFile } from '../source-file.ts';

interface Resolved {
  readonly url: string;
  readonly format?: string | null;
  readonly shortCircuit?: boolean;
}
interface Context {
  readonly conditions: readonly string[];
  readonly parentURL?: string;
}
type Resolve = (specifier: string, context: Context) => Resolved;

/** What tells one reading of a file from the next, at the end of its module's address. */
const READING = '?reading=';

/**
 * Modules as Node.js and Deno load them (https://nodejs.org/api/module.html#customization-hooks). What either has loaded by an
 * address it keeps; a file that has changed since is given another address.
 */
export function v8Modules(
  directory: string,
  load: (specifier: string, options?: object) => Promise<unknown>,
): Modules {
  const file = `${directory}/[cell]`;
  const url = pathToFileURL(file).href;
  const plain = createRequire(file);
  const { cache } = plain;
  const freshness = new Freshness(directory);
  const readings = new Map<string, number>();
  const imports = new Map<string, Set<string>>();

  const note = () => {
    for (const path of Object.keys(cache)) freshness.note(path);
  };
  const importsOf = (path: string) => [
    ...(imports.get(path) ?? []),
    ...(cache[path]?.children ?? []).map(({ id }) => id),
  ];
  module.registerHooks({
    resolve(specifier: string, context: Context, next: Resolve): Resolved {
      const found = located(specifier, context, next);
      if (!found.url.startsWith('file://')) return found;
      const path = pathOf(found.url);
      if (!freshness.isWatched(path)) return found;
      freshness.note(path);
      const { parentURL } = context;
      if (parentURL?.startsWith('file://')) {
        const importer = pathOf(parentURL);
        imports.set(importer, (imports.get(importer) ?? new Set()).add(path));
      }
      const reading = readings.get(path);
      if (reading === undefined || context.conditions.includes('require')) return found;
      return { ...found, url: `${found.url}${READING}${reading}`, shortCircuit: true };
    },
  } as never);

  return {
    require: requireThen(plain, note),
    meta: {
      url,
      filename: file,
      dirname: directory,
      main: true,
      resolve: (specifier: string) => (isRelative(specifier) ? new URL(specifier, url).href : specifier),
    },
    async import(specifier, options) {
      try {
        return await load(String(specifier), options);
      } finally {
        note();
      }
    },
    refresh() {
      for (const path of freshness.stale(importsOf)) {
        readings.set(path, (readings.get(path) ?? 0) + 1);
        imports.delete(path);
        delete cache[path];
      }
    },
  };
}

function isRelative(specifier: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$)/.test(specifier);
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch {
    return '';
  }
}

/** As the runtime finds it, or as TypeScript does: without an ending, or with that of what it is compiled to. */
export function located(specifier: string, context: Context, next: Resolve): Resolved {
  let found: Resolved | undefined;
  let failure: unknown;
  try {
    found = next(specifier, context);
    // Deno looks for a file only when it reads it.
    if (!('Deno' in globalThis) || !found.url.startsWith('file://')) return found;
  } catch (error) {
    failure = error;
  }
  const { parentURL = '' } = context;
  if (
    !found &&
    !(isRelative(specifier) && parentURL.startsWith('file://')) &&
    !specifier.startsWith('file://')
  )
    throw failure;
  const url = found?.url ?? new URL(specifier, parentURL).href;
  const source = sourceFile(pathOf(url));
  if (source === null || source === pathOf(url)) {
    if (found) return found;
    throw failure;
  }
  return { url: pathToFileURL(source).href, shortCircuit: true };
}
