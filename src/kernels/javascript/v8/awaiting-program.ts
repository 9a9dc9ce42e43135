/**
 * Programs that await at the top level, though nothing else makes modules of them: Deno (2.9) sees that where it stands in no block,
 * and otherwise takes them for CommonJS, which may not wait. They are run as modules before Deno comes to them.
 */

const AWAITS = /\bawait\b/;
const KNOWN_MODULE = /\bimport\.meta\b/;

type Load = (url: string, context: object) => unknown;

/** Whether a text is none of CommonJS because it awaits. */
export function awaitsAtTop(text: string): boolean {
  if (!AWAITS.test(text) || KNOWN_MODULE.test(text)) return false;
  try {
    // Compiled, and not called: CommonJS is the body of a function.
    new Function(text.replace(/^#!.*/, ''));
    return false;
  } catch {
    return true;
  }
}

/** Runs the main program, and leaves nothing for Deno to run. */
export async function runAsModule(url: string, source: string): Promise<void> {
  const { registerHooks } = process.getBuiltinModule('node:module') as typeof import('node:module');
  let ran = false;
  registerHooks({
    load(wanted: string, context: object, next: Load) {
      if (wanted !== url) return next(wanted, context);
      if (ran) return { format: 'commonjs', source: '', shortCircuit: true };
      return { format: 'module', source, shortCircuit: true };
    },
  } as never);
  await import(url);
  ran = true;
}
