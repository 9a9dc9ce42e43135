import { type Context, isRequired, type Load } from './located.ts';

/**
 * A file as its engine loads it. Deno takes what a hook passes on for JavaScript, and finds nothing that a module of ES imports where
 * that is required and a hook has given its text: what is required it reads itself, which a hook leaves to it by no text.
 */
export function plain(url: string, context: Context, next: Load): unknown {
  const loaded = next(url, context) as object;
  if (!('Deno' in globalThis)) return loaded;
  if (isRequired(context)) return { ...loaded, source: null, shortCircuit: false };
  return /\.json(?:[?#]|$)/.test(url) ? { ...loaded, format: 'json' } : loaded;
}

/** What of Deno's `require` this changes. */
interface ModuleClass {
  readonly _extensions: Record<'.mjs', (module: object, path: string) => void>;
  readonly prototype: {
    _compile(this: object, text: string, path: string, format?: string, isHooked?: boolean): unknown;
  };
}

/**
 * Has Deno read itself what is required and a module of ES by its package, too: of what a hook has resolved it takes the text first, and
 * finds nothing that it imports.
 */
export function compileRequired(): void {
  if (!('Deno' in globalThis)) return;
  const { _extensions, prototype } = process.getBuiltinModule('node:module') as unknown as ModuleClass;
  const { _compile } = prototype;
  prototype._compile = function (text, path, format, isHooked) {
    if (format === 'module') return _extensions['.mjs'](this, path);
    return _compile.call(this, text, path, format, isHooked);
  };
}
