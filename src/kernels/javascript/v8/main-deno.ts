/**
 * The JavaScript kernel on Deno, as on Node.js; see main-node.ts. Deno interrupts nothing: there an interrupt ends the process.
 */
import { serve } from '../serve.ts';
import type { TypedParser } from '../syntax/typed-parser.ts';
import { denoHost } from './deno.ts';

export function start(typedParser: () => typeof TypedParser, directory: string): void {
  process.argv.length = 1;
  serve(denoHost(directory, typedParser), directory);
}
