import type { Load } from './load-typescript.ts';
import { type Context, located, type Resolve } from './located.ts';

export type LoadTypeScript = typeof import('./load-typescript.ts');

const TYPESCRIPT = /^file:\/\/(?!.*\/node_modules\/)[^?#]*\.[cm]?ts(?:[?#]|$)/;

/** As it is; Deno takes what a hook passes on for JavaScript. */
function plain(url: string, context: Context, next: Load): unknown {
  const loaded = next(url, context);
  return 'Deno' in globalThis && url.endsWith('.json') ? { ...(loaded as object), format: 'json' } : loaded;
}

/**
 * Has a program run what TypeScript compiles, and find what it imports as TypeScript does. `reader` is called once there is
 * TypeScript to read.
 */
export function hookProgram(reader: () => LoadTypeScript): void {
  const { registerHooks } = process.getBuiltinModule('node:module') as typeof import('node:module');
  let typescript: LoadTypeScript | undefined;
  registerHooks({
    resolve: (specifier: string, context: Context, next: Resolve) => located(specifier, context, next),
    load(url: string, context: Context, next: Load) {
      if (!TYPESCRIPT.test(url)) return plain(url, context, next);
      typescript ??= reader();
      return typescript.loadTypeScript(url, context, next);
    },
  } as never);
}
