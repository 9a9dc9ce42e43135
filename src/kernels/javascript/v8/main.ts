/**
 * The JavaScript kernel on V8, for Node.js and Deno: runs cells through V8's own REPL mode, in this very process, by way of
 * the inspector's session (`Runtime.evaluate`). Declarations may be made again, `await` stands anywhere, and line numbers
 * are the user's. What V8 does not do itself, this folder does: imports (imports.ts), TypeScript (typescript.ts), a
 * standard input for each cell (node.ts, deno.ts). Bundled into one file; see ../../protocol.ts.
 *
 * The program shares this process and can do to the kernel whatever it can do to itself; none of that reaches further than
 * its own session. What the kernel needs most is captured before the first cell.
 *
 * What cannot be had here: an endless loop can't be interrupted, only killed; modules are loaded once.
 */
import type { CellError, CellRequest, SurroundingsRequest } from '../../protocol.ts';
import { bundle } from '../results.ts';
import { runCell } from './cell.ts';
import { describe } from './errors.ts';
import { host } from './host.ts';
import { inspect } from './inspect.ts';
import { provideScope } from './scope.ts';

const { parse, stringify } = JSON;
const { assign } = Object;
const printError = console.error.bind(console);
let cell = 0;

async function serve(request: CellRequest): Promise<void> {
  cell = request.cell;
  host.openInput(request.stdin);
  let error: CellError | null = null;
  try {
    const value = await runCell(request);
    if (value !== undefined) host.send(`{"cell":${cell},"result":${await bundle(value, inspect)}}`);
  } catch (thrown) {
    error = describe(thrown);
  }
  await host.flush();
  host.send(`{"cell":${request.cell},"done":true,"error":${error && quoteError(error)}}`);
}

function quoteError({ name, message, traceback }: CellError): string {
  return `{"name":${stringify(name)},"message":${stringify(message)},"traceback":${stringify(traceback)}}`;
}

/** What goes wrong outside a cell's own flow (a timer, a promise nobody awaits) is told and survived. */
host.onStray(thrown => printError(describe(thrown).traceback.trimEnd()));
provideScope(process.argv[2] ?? process.cwd());
host.listen(line => {
  const request = parse(line) as CellRequest | SurroundingsRequest;
  if ('environment' in request) assign(process.env, request.environment);
  else serve(request);
});
host.send('{"ready":true}');
