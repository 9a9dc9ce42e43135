import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';
import { GIVEN } from './imports.ts';

/** Gives cells what a module finds, as globals that a cell may replace: resolved from the directory where cells stand. */
export function provideScope(directory: string): void {
  process.argv.length = 1;
  const file = `${directory}/[cell]`;
  const cellRequire = createRequire(file);
  const module = { exports: {}, id: '.', filename: file, path: directory, paths: [], loaded: false };
  const url = pathToFileURL(file).href;
  provide('require', cellRequire);
  provide('module', module);
  provide('exports', module.exports);
  provide('__filename', file);
  provide('__dirname', directory);
  provide(GIVEN.import, importer(url, file, cellRequire));
  provide(GIVEN.meta, {
    url,
    filename: file,
    dirname: directory,
    main: true,
    resolve: (specifier: string) => resolve(specifier, url),
  });
}

type Importer = (specifier: string, options?: object) => Promise<unknown>;

/** Node.js imports from where a script says it lies; Deno from where the kernel lies, save what is relative. */
function importer(url: string, file: string, cellRequire: NodeJS.Require): Importer {
  if (!('Deno' in globalThis)) {
    const importModuleDynamically = constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
    const script = new Script('(specifier, options) => import(specifier, options)', {
      filename: file,
      importModuleDynamically,
    });
    return script.runInThisContext();
  }
  return async (specifier, options) => {
    const text = String(specifier);
    if (/^(?:\.{0,2}\/|[a-z]+:)/.test(text)) return import(resolve(text, url), options as never);
    // Of a package's, as Deno finds it from the workspace.
    const found = cellRequire.resolve(text);
    return import(found.startsWith('/') ? pathToFileURL(found).href : found, options as never);
  };
}

function resolve(specifier: string, url: string): string {
  return /^\.{0,2}\//.test(specifier) ? new URL(specifier, url).href : specifier;
}

function provide(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
}
