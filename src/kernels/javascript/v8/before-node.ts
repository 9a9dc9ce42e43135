/** Loaded before a program of Node.js, which is told where this lies. */
import { hookProgram, type LoadTypeScript } from './program-hooks.ts';
import { provideRequire } from './require.ts';

provideRequire();
const own = process.execArgv.find(word => word.endsWith('/require.cjs'));
if (own) {
  const { createRequire } = process.getBuiltinModule('node:module');
  hookProgram(() => createRequire(own)('./typescript.cjs') as LoadTypeScript);
}
