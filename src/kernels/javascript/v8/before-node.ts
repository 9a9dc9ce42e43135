/** Loaded before a program of Node.js, which is told where this lies. */
import { Bundles } from './bundles.ts';
import { hookProgram, type LoadSource } from './program-hooks.ts';
import { provideRequire } from './require.ts';

provideRequire();
const own = process.execArgv.find(word => word.endsWith('/require.cjs'));
if (own) {
  const bundles = new Bundles(own.slice(0, own.lastIndexOf('/')));
  hookProgram(() => bundles.run<LoadSource>('typescript'));
}
