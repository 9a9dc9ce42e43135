import type { Load } from './load-typescript.ts';
import { type Context, located, type Resolve } from './located.ts';

type LoadTypeScript = typeof import('./load-typescript.ts');

const TYPESCRIPT = /^file:\/\/(?!.*\/node_modules\/)[^?#]*\.[cm]?ts(?:[?#]|$)/;

/**
 * Has a program run what TypeScript compiles, and find what it imports as TypeScript does. What that takes is read from the
 * directory of a file of ours, and only once there is TypeScript to read.
 */
export function hookProgram(beside: string): void {
  const { createRequire, registerHooks } = process.getBuiltinModule(
    'node:module',
  ) as typeof import('node:module');
  let typescript: LoadTypeScript | undefined;
  registerHooks({
    resolve: (specifier: string, context: Context, next: Resolve) => located(specifier, context, next),
    load(url: string, context: Context, next: Load) {
      if (!TYPESCRIPT.test(url)) return next(url, context);
      typescript ??= createRequire(beside)('./typescript.cjs') as LoadTypeScript;
      return typescript.loadTypeScript(url, context, next);
    },
  } as never);
}
