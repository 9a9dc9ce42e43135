/**
 * What a program of Deno finds, which reads TypeScript and CommonJS itself, but knows no file that is both and none with TypeScript's
 * own kind of modules, nor the standard streams by their names.
 */
import { evaluated, type Wrapped } from './evaluated.ts';
import { hookProgram, type LoadSource } from './program-hooks.ts';
import { provideRequire } from './require.ts';
import { isDecorated, OWN_MODULES } from './rewritten.ts';
import { NAMES_STANDARD_FILE, provideStandardFiles } from './standard-files.ts';

/** Modules beside a program may be what V8 does not read, or be named as Deno's `require` does not find them. */
const BESIDE = {
  javascript: /\b(?:from|import|require)\s*\(?\s*['"`]\.{0,2}\//,
  // Deno reads those of TypeScript.
  typescript: /\brequire\s*\(\s*['"`]\.{0,2}\/|['"`]\.{0,2}\/[^'"`\n]*\.[cm]?js['"`]/,
};
/** What makes an ES module of a file, and what only CommonJS has. */
const ES_MODULE = /^[ \t]*(?:import[ \t]*['"{*]|import[ \t]+[\w$]+[ \t]*(?:,|from)|export[ \t]+[\w{*])/m;
const COMMON_JS = /\b(?:module|exports|__filename|__dirname|require\.main)\b/;

interface DenoApi {
  readonly mainModule: string;
  readTextFileSync(path: URL): string;
}

/** Before the program is loaded. */
export async function prepareProgram(): Promise<void> {
  provideRequire();
  const main = readMain();
  const isTypeScript = main !== null && /\.[cm]?ts$/.test(main.path);
  // Looked for, because what it takes costs more than Deno's start.
  if (main !== null && NAMES_STANDARD_FILE.test(main.text)) provideStandardFiles();
  if (isTypeScript && COMMON_JS.test(main.text) && !ES_MODULE.test(main.text)) provideModule(main.path);
  const hasOwn = isTypeScript && OWN_MODULES.test(main.text);
  if (hasOwn && !ES_MODULE.test(main.text)) provideModule(main.path);
  if (main !== null && (hasOwn || needsHooks(main.text, isTypeScript))) await hook();
}

function needsHooks(text: string, isTypeScript: boolean): boolean {
  return isTypeScript ? BESIDE.typescript.test(text) : BESIDE.javascript.test(text) || isDecorated(text);
}

async function hook(): Promise<void> {
  // By a name that stands here as it is, which takes no permission.
  const { default: text } = await import('./typescript.json', { with: { type: 'json' } });
  // biome-ignore lint/security/noGlobalEval: what is our own
  const run = eval;
  hookProgram(() => evaluated<LoadSource>(run(text) as Wrapped));
}

function readMain(): { readonly path: string; readonly text: string } | null {
  const { Deno } = globalThis as unknown as { Deno: DenoApi };
  try {
    const url = new URL(Deno.mainModule);
    return { path: decodeURIComponent(url.pathname), text: Deno.readTextFileSync(url) };
  } catch {
    // It may not be read.
    return null;
  }
}

function provideModule(filename: string): void {
  const path = filename.slice(0, filename.lastIndexOf('/'));
  const module = { exports: {}, id: '.', filename, path, paths: [], loaded: false, children: [] };
  const given = { module, exports: module.exports, __filename: filename, __dirname: path };
  for (const [name, value] of Object.entries(given))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  Object.defineProperty(globalThis.require, 'main', { value: module, writable: true, configurable: true });
}
