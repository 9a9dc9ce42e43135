import { type Context, type Load, located, type Resolve } from './located.ts';
import { compileRequired, plain } from './plain.ts';
import { isRewritten } from './rewritten.ts';

export type LoadSource = typeof import('./load-source.ts');

/**
 * Has a program run what TypeScript compiles, and find what it imports as TypeScript does. `reader` is called once there is
 * a file to read so.
 */
export function hookProgram(reader: () => LoadSource): void {
  const { registerHooks } = process.getBuiltinModule('node:module') as typeof import('node:module');
  let source: LoadSource | undefined;
  compileRequired();
  registerHooks({
    resolve: (specifier: string, context: Context, next: Resolve) => located(specifier, context, next),
    load(url: string, context: Context, next: Load) {
      if (!isRewritten(url)) return plain(url, context, next);
      source ??= reader();
      return source.loadSource(url, context, next);
    },
  } as never);
}
