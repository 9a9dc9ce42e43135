/**
 * The JavaScript kernel on Node.js and Deno: runs cells over one global scope and answers on descriptor 3; see
 * ../../protocol.ts.
 *
 * The program shares this process and can do to the kernel whatever it can do to itself; none of that reaches further than
 * its own session. What the kernel needs most is captured before the first cell.
 *
 * What cannot be had here: Deno interrupts nothing, and Node.js nothing that a cell does after its first `await`; there
 * an interrupt ends the process.
 */
import { serve } from '../serve.ts';
import { denoHost } from './deno.ts';
import { nodeHost } from './node.ts';

const directory = process.argv[2] ?? process.cwd();
process.argv.length = 1;
serve('Deno' in globalThis ? denoHost(directory) : nodeHost(directory), directory);
