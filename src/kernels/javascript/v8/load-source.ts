import { decorateClass } from '../class-decorators.ts';
import { DECORATE } from '../syntax/decorators.ts';
import { Unparsed } from '../syntax/parse.ts';
import { toModule } from '../syntax/to-module.ts';
import { type Context, isRequired, type Load, pathOf } from './located.ts';
import { plain } from './plain.ts';
import { OWN_MODULES } from './rewritten.ts';

/**
 * A file that {@link isRewritten} as its engine runs it: all that TypeScript compiles, where Node.js itself knows no decorators and no
 * imports of types by name. The engine tells of what can't be read.
 */
export function loadSource(url: string, context: Context, next: Load): unknown {
  const path = pathOf(url);
  const code = process.getBuiltinModule('node:fs').readFileSync(path, 'utf8');
  if (!(DECORATE in globalThis))
    Object.defineProperty(globalThis, DECORATE, {
      value: decorateClass,
      configurable: true,
      enumerable: false,
    });
  const typescript = /\.[cm]?ts$/.test(path);
  try {
    const { text, isES } = toModule(code, { typescript, isES: kindOf(path, context) });
    const isDenos = 'Deno' in globalThis && isRequired(context) && isES && !OWN_MODULES.test(code);
    if (typescript ? isDenos : text === code) return plain(url, context, next);
    return { format: isES ? 'module' : 'commonjs', source: text, shortCircuit: true };
  } catch (error) {
    if (error instanceof Unparsed) return plain(url, context, next);
    throw error;
  }
}

/** Whether a file is a module of ES by its name or its package; null where its text says so. */
function kindOf(path: string, { format }: Context): boolean | null {
  if (/\.c[jt]s$/.test(path)) return false;
  return /\.m[jt]s$/.test(path) || format?.startsWith('module') ? true : null;
}
