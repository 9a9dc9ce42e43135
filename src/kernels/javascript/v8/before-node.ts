/** Loaded before a program of Node.js, which is told where this lies. */
import { hookProgram } from './program-hooks.ts';
import { provideRequire } from './require.ts';

provideRequire();
const own = process.execArgv.find(word => word.endsWith('/require.cjs'));
if (own) hookProgram(own);
