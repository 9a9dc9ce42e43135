import { sourceFile } from '../source-file.ts';

/** What a hook of `node:module` is told and answers: https://nodejs.org/api/module.html#customization-hooks. */
export interface Resolved {
  readonly url: string;
  readonly format?: string | null;
  readonly shortCircuit?: boolean;
}
export interface Context {
  readonly conditions: readonly string[];
  readonly parentURL?: string;
  readonly format?: string | null;
}
export type Resolve = (specifier: string, context: Context) => Resolved;
export type Load = (url: string, context: Context) => unknown;

/** Whether it is a `require` that asks, and no import. */
export function isRequired({ conditions }: Context): boolean {
  return conditions.includes('require');
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
  const wanted = found?.url ?? absolute(specifier, context.parentURL);
  const path = wanted && pathOf(wanted);
  const source = path ? sourceFile(path) : null;
  if (source !== null && source !== path) return { url: urlOf(source), shortCircuit: true };
  if (found) return found;
  throw failure;
}

/**
 * A package that Deno has looked for when it was not there, and takes for a file beside the importer since; where it is by now. Null
 * for everything else.
 */
export function foundSince(specifier: string, context: Context, { url }: Resolved): Resolved | null {
  const { parentURL = '' } = context;
  if (!('Deno' in globalThis) || !isName(specifier) || url !== absolute(`./${specifier}`, parentURL))
    return null;
  try {
    const { createRequire } = process.getBuiltinModule('node:module');
    return { url: urlOf(createRequire(parentURL).resolve(specifier)), shortCircuit: true };
  } catch {
    return null;
  }
}

/** Of a package or of what is built in. */
export function isName(specifier: string): boolean {
  return !isRelative(specifier) && !/^[a-z]+:/.test(specifier);
}

export function isRelative(specifier: string): boolean {
  return /^(?:\.{0,2}\/|\.{1,2}$)/.test(specifier);
}

/** Empty for what is no file. */
export function pathOf(url: string): string {
  try {
    return process.getBuiltinModule('node:url').fileURLToPath(url);
  } catch {
    return '';
  }
}

export function urlOf(path: string): string {
  return process.getBuiltinModule('node:url').pathToFileURL(path).href;
}

/** Address of what is meant by a relative name, or by a file's. Deno tells the parent of a `require` that was made as a path. */
export function absolute(specifier: string, parent = ''): string | null {
  if (specifier.startsWith('file://')) return specifier;
  if (!isRelative(specifier)) return null;
  const base = parent.startsWith('/') ? urlOf(parent) : parent;
  if (base.startsWith('file://')) return new URL(specifier, base).href;
  return specifier.startsWith('/') ? urlOf(specifier) : null;
}
