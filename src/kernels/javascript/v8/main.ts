/**
 * The JavaScript kernel on V8, for Node.js and Deno: runs cells through V8's own REPL mode, in this very process, by way of
 * the inspector's session (`Runtime.evaluate`). Declarations may be made again, `await` stands anywhere, and line numbers
 * are the user's. What V8 does not do itself, this folder does: imports (imports.ts), TypeScript (typescript.ts), a
 * standard input for each cell (node.ts, deno.ts). Bundled into one file; see ../../protocol.ts.
 *
 * The program shares this process and can do to the kernel whatever it can do to itself; none of that reaches further than
 * its own session. What the kernel needs most is captured before the first cell.
 *
 * What cannot be had here: Deno interrupts nothing, and Node.js nothing that a cell does after its first `await`; there
 * an interrupt ends the process. Modules are loaded once.
 */
import type { CellError, CellRequest, SurroundingsRequest } from '../../protocol.ts';
import { bundle } from '../results.ts';
import { BROKEN, FINE, selfTest } from '../self-test.ts';
import { turn } from '../turn.ts';
import { runCell } from './cell.ts';
import { describe, Interrupted } from './errors.ts';
import { host } from './host.ts';
import { inspect } from './inspect.ts';
import { provideScope } from './scope.ts';

const { parse, stringify } = JSON;
const { assign, hasOwn } = Object;
const printError = console.error.bind(console);
const exit = process.exit.bind(process);
let cell = 0;
let running = false;

async function serve(request: CellRequest): Promise<void> {
  cell = request.cell;
  running = true;
  host.openInput(request.stdin);
  let error: CellError | null = null;
  try {
    const result = await resultOf(request);
    if (result !== null) host.send(`{"cell":${cell},"result":${result}}`);
  } catch (thrown) {
    if (thrown instanceof Interrupted && !(await host.mend())) exit(BROKEN);
    error = describe(thrown);
    if ((await resultOf(selfTest(request.typescript))) !== FINE) exit(BROKEN);
  }
  await turn();
  await host.flush();
  running = false;
  host.send(`{"cell":${request.cell},"done":true,"error":${error && quoteError(error)}}`);
}

async function resultOf(request: CellRequest): Promise<string | null> {
  const value = await runCell(request);
  return value === undefined ? null : bundle(value, inspect);
}

/** A kernel that a program's patches keep from its work ends: the service starts another and says so. */
async function serveOrEnd(request: CellRequest): Promise<void> {
  try {
    await serve(request);
  } catch {
    exit(BROKEN);
  }
}

function quoteError({ name, message, traceback }: CellError): string {
  return `{"name":${stringify(name)},"message":${stringify(message)},"traceback":${stringify(traceback)}}`;
}

/** What goes wrong outside a cell's own flow (a timer, a promise nobody awaits) is told and survived. */
host.onStray(thrown => printError(describe(thrown).traceback.trimEnd()));
host.onInterrupt(() => running);
provideScope(process.argv[2] ?? process.cwd());
host.listen(line => {
  const request = parse(line) as CellRequest | SurroundingsRequest;
  if (!hasOwn(request, 'cell')) assign(process.env, (request as SurroundingsRequest).environment);
  else serveOrEnd(request as CellRequest);
});
host.send('{"ready":true}');
