import { decorateClass } from '../class-decorators.ts';
import { DECORATE } from '../syntax/decorators.ts';
import { Unparsed } from '../syntax/parse.ts';
import { toModule } from '../syntax/to-module.ts';
import { type Context, pathOf } from './located.ts';

export type Load = (url: string, context: Context) => unknown;

/** Whether a module's address is a file of TypeScript that is not a package's. */
export function isTypeScript(url: string): boolean {
  return /^file:\/\/[^?#]*\.[cm]?ts(?:[?#]|$)/.test(url) && !url.includes('/node_modules/');
}

/**
 * A file of TypeScript as Node.js runs it: all that TypeScript compiles, where Node.js itself knows no decorators and no
 * imports of types by name. Node.js tells of what can't be read.
 */
export function loadTypeScript(url: string, context: Context, next: Load): unknown {
  const path = pathOf(url);
  const code = process.getBuiltinModule('node:fs').readFileSync(path, 'utf8');
  if (!(DECORATE in globalThis))
    Object.defineProperty(globalThis, DECORATE, {
      value: decorateClass,
      configurable: true,
      enumerable: false,
    });
  try {
    const { text, isModule } = toModule(code);
    const isES = !path.endsWith('.cts') && (isModule || context.format?.startsWith('module'));
    return { format: isES ? 'module' : 'commonjs', source: text, shortCircuit: true };
  } catch (error) {
    if (error instanceof Unparsed) return next(url, context);
    throw error;
  }
}
