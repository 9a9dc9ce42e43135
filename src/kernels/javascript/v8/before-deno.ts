/** Loaded before a program of Deno. */
import { prepareProgram } from './deno-program.ts';

await prepareProgram();
