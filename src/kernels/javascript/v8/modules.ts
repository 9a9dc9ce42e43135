import module, { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { requireThen } from '../cell-require.ts';
import { Freshness } from '../freshness.ts';
import type { Modules } from '../host.ts';
import { Installed } from '../installed.ts';
import { withoutReading } from '../stack.ts';
import { ofLayer } from './layer.ts';
import { loadSource } from './load-source.ts';
import {
  absolute,
  type Context,
  foundSince,
  isRelative,
  isRequired,
  type Load,
  located,
  pathOf,
  type Resolve,
  type Resolved,
  urlOf,
} from './located.ts';
import { compileRequired, plain } from './plain.ts';
import { isRewritten } from './rewritten.ts';
import { tellUnread } from './unread-module.ts';

/** Modules that no file holds. */
const BUILTIN = /^node:/;
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
  const ownRequire = createRequire(file);
  const { cache } = ownRequire;
  const freshness = new Freshness(directory);
  const installed = new Installed(readLink);
  const readings = new Map<string, number>();
  const imports = new Map<string, Set<string>>();

  const note = () => {
    for (const path of Object.keys(cache)) freshness.note(path);
  };
  const importsOf = (path: string) => [
    ...(imports.get(path) ?? []),
    ...(cache[path]?.children ?? []).map(({ id }) => id),
  ];
  const noteImport = (path: string, { parentURL }: Context) => {
    freshness.note(path);
    if (!parentURL?.startsWith('file://')) return;
    const importer = pathOf(parentURL);
    imports.set(importer, (imports.get(importer) ?? new Set()).add(path));
  };
  compileRequired();
  module.registerHooks({
    resolve(specifier: string, context: Context, next: Resolve): Resolved {
      const found = ofLayer(installed.layer, specifier, context, next) ?? located(specifier, context, next);
      if (!found.url.startsWith('file://')) return found;
      const since = foundSince(specifier, context, found);
      if (since) return since;
      const wanted = isRelative(specifier) ? pathOf(absolute(specifier, context.parentURL) ?? '') : '';
      const led = ledTo(wanted);
      const path = led ?? pathOf(found.url);
      if (!freshness.isWatched(path)) return found;
      noteImport(path, context);
      if (led !== null) noteImport(wanted, context);
      const reading = readings.get(path);
      const isRead = reading === undefined || isRequired(context);
      const address = path === pathOf(found.url) ? found.url : urlOf(path);
      if (isRead && address === found.url) return found;
      return { ...found, url: isRead ? address : `${address}${READING}${reading}`, shortCircuit: true };
    },
    load: (url: string, context: Context, next: Load) =>
      isRewritten(url) ? loadSource(url, context, next) : plain(url, context, next),
  } as never);

  return {
    require: requireThen(ownRequire, note),
    meta: {
      url,
      filename: file,
      dirname: directory,
      main: true,
      resolve: (specifier: string) => (isRelative(specifier) ? new URL(specifier, url).href : specifier),
    },
    async import(specifier, options) {
      const before = new Set(freshness.paths);
      try {
        return await load(String(specifier), options);
      } catch (error) {
        // A runtime keeps that they failed.
        const loading = freshness.paths.filter(path => !before.has(path));
        for (const path of loading) freshness.doubt(path);
        tellUnread(error, loading);
        throw named(error);
      } finally {
        if (!BUILTIN.test(specifier)) note();
      }
    },
    refresh() {
      installed.changed();
      for (const path of freshness.stale(importsOf)) {
        readings.set(path, (readings.get(path) ?? 0) + 1);
        imports.delete(path);
        delete cache[path];
      }
    },
  };
}

/** An error whose message names modules as their files are named. */
function named(error: unknown): unknown {
  if (error instanceof Error && error.message.includes(READING)) {
    const { stack } = error;
    error.message = withoutReading(error.message);
    if (stack) error.stack = withoutReading(stack);
  }
  return error;
}

/** Where a path that leads elsewhere leads now: what a runtime has once followed it keeps. Null for any other. */
function ledTo(path: string): string | null {
  try {
    const real = path && process.getBuiltinModule('node:fs').realpathSync(path);
    return real && real !== path ? real : null;
  } catch {
    return null;
  }
}

/** Null where it may not be read, too. */
function readLink(path: string): string | null {
  try {
    return process.getBuiltinModule('node:fs').readlinkSync(path);
  } catch {
    return null;
  }
}
