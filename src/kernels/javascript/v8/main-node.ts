/**
 * The JavaScript kernel on Node.js: runs cells over one global scope and answers on descriptor 3; see ../../protocol.ts.
 *
 * The program shares this process and can do to the kernel whatever it can do to itself; none of that reaches further than
 * its own session. What the kernel needs most is captured before the first cell.
 *
 * What cannot be had here: Node.js interrupts nothing that a cell does after its first `await`; there an interrupt ends the process.
 */
import { serve } from '../serve.ts';
import type { Bundles } from './bundles.ts';
import { nodeHost } from './node.ts';

export function start(bundles: Bundles, directory: string): void {
  process.argv.length = 1;
  const typedParser = () => bundles.run<typeof import('./typescript.ts')>('typescript').TypedParser;
  serve(nodeHost(directory, typedParser), directory);
}
