/**
 * The JavaScript kernel on Bun: runs cells over one global scope and answers on a socket; see ../protocol.ts. Bundled
 * into one file with `bun build --target=bun`; imports nothing of the service but that protocol's types. It is started
 * beside that file with the workspace as its argument: Bun reads bunfig.toml, .env, package.json and tsconfig.json of
 * the directory it starts in, and what a program plants in the workspace must not keep an interpreter from starting.
 *
 * The program shares this process and can do to the kernel whatever it can do to itself: find the socket and lie about
 * its own cells, close it, or end the process. None of that reaches further than its own session: the service bounds
 * and checks every line, and time, memory and exit are measured from outside. A program that patches JSON, Array or
 * Promise may break its own context; what the kernel needs most is captured before the first cell.
 *
 * What cannot be had on Bun:
 * - An endless loop can't be interrupted, only killed.
 * - `Bun.write(Bun.stdout, …)` and `Bun.stdout.writer()` that nobody awaits may be printed after the cell's end.
 * - `Bun.stdin.stream()` is one stream for the whole process: the first cell that reads it uses it up. `Bun.stdin.text()`,
 *   process.stdin, console and node:fs read each cell's own input.
 * - Opening /dev/stdin by name waits for ever once all live input is written: it is a named pipe, and those wait for a writer.
 * - A read of standard input that an earlier cell left unfinished may take what was meant for it, not for this one.
 * - Modules are loaded once: an import after the file changed gives the old one (`import('./a.js?2')` the new one).
 */
import type { CellError, CellRequest, SurroundingsRequest } from '../protocol.ts';
import { runCell } from './cell.ts';
import { listen, send } from './control.ts';
import { provideModuleScope } from './scope.ts';
import { BROKEN, FINE, selfTest } from './self-test.ts';
import { flushed, openInput } from './standard-streams.ts';
import { describe } from './traceback.ts';
import { turn } from './turn.ts';

const { stringify } = JSON;
const { assign, hasOwn } = Object;
const printError = console.error.bind(console);
const exit = process.exit.bind(process);
let cell = 0;

async function serve(request: CellRequest): Promise<void> {
  cell = request.cell;
  openInput(request.stdin);
  let error: CellError | null = null;
  try {
    const result = await runCell(request);
    if (result !== null) send(`{"cell":${request.cell},"result":${result}}`);
  } catch (thrown) {
    error = describe(thrown, request.cell);
    if ((await runCell(selfTest(request.typescript))) !== FINE) exit(BROKEN);
  }
  await turn();
  await flushed();
  send(`{"cell":${request.cell},"done":true,"error":${error && quoteError(error)}}`);
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
function survive(thrown: unknown): void {
  printError(describe(thrown, cell).traceback.trimEnd());
}

process.on('uncaughtException', survive);
process.on('unhandledRejection', survive);
provideModuleScope();
listen(request => {
  if (!hasOwn(request as object, 'cell')) assign(process.env, (request as SurroundingsRequest).environment);
  else serveOrEnd(request as CellRequest);
});
send('{"ready":true}');
