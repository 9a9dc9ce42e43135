import type { CellError, CellRequest, InterruptRequest, SurroundingsRequest } from '../protocol.ts';
import { Interrupted, runCell } from './cell.ts';
import type { Host } from './host.ts';
import { withPristine } from './pristine.ts';
import { bundle } from './results.ts';
import { provideScope } from './scope.ts';
import { BROKEN, FINE, selfTest } from './self-test.ts';
import { ownFramesOnly } from './stack.ts';
import { takeTypedParser } from './syntax/parse.ts';
import { describe } from './traceback.ts';
import { turn } from './turn.ts';

const { parse, stringify } = JSON;
const { assign, hasOwn, keys } = Object;
const { deleteProperty } = Reflect;
const { env } = process;

/** Runs cells over one global scope as the service asks for them, one at a time; see ../protocol.ts. */
export function serve(host: Host, directory: string): void {
  const printError = console.error.bind(console);
  const exit = process.exit.bind(process);
  const { inspect } = host;
  let cell = 0;
  let running = false;

  async function run(request: CellRequest): Promise<void> {
    cell = request.cell;
    running = true;
    host.openInput(request.stdin);
    const before = swapEnvironment(request.environment ?? {});
    let error: CellError | null = null;
    try {
      const result = await resultOf(request);
      running = false;
      if (result !== null) host.send(`{"cell":${cell},"result":${result},"isValue":true}`);
    } catch (thrown) {
      running = false;
      if (thrown instanceof Interrupted && !(await host.mend())) exit(BROKEN);
      error = withPristine(() => describe(thrown, inspect));
      if (!(await isSound(request.typescript))) exit(BROKEN);
    }
    await turn();
    swapEnvironment(before);
    await host.flush();
    host.send(`{"cell":${request.cell},"done":true,"error":${error && quoteError(error)}}`);
  }

  async function isSound(typescript: boolean): Promise<boolean> {
    try {
      return (await resultOf(selfTest(typescript))) === FINE;
    } catch (thrown) {
      if (!(thrown instanceof Interrupted)) throw thrown;
      // The signal of the cell's interrupt came only now.
      return (await resultOf(selfTest(typescript))) === FINE;
    }
  }

  async function resultOf(request: CellRequest): Promise<string | null> {
    const value = await runCell(host, request);
    return value === undefined ? null : await bundle(value, inspect);
  }

  /** A kernel that a program's patches keep from its work ends: the service starts another and says so. */
  async function runOrEnd(request: CellRequest): Promise<void> {
    try {
      await run(request);
    } catch {
      exit(BROKEN);
    }
  }

  takeTypedParser(host.typedParser);
  ownFramesOnly();
  /** What goes wrong outside a cell's own flow (a timer, a promise nobody awaits) is told and survived. */
  host.onStray(thrown => printError(describe(thrown, inspect).traceback.trimEnd()));
  host.onInterrupt(() => running);
  provideScope(host.modules, directory);
  host.listen(line => {
    const request = parse(line) as CellRequest | InterruptRequest | SurroundingsRequest;
    if (hasOwn(request, 'cell')) runOrEnd(request as CellRequest);
    else if (hasOwn(request, 'environment'))
      assign(process.env, (request as SurroundingsRequest).environment);
  });
  host.send('{"ready":true}');
}

/** Gives the program these variables, takes from it those that are undefined, and returns what undoes that. */
function swapEnvironment(variables: Readonly<Record<string, string | undefined>>) {
  const before: Record<string, string | undefined> = {};
  const names = keys(variables);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    const value = variables[name];
    before[name] = env[name];
    if (value === undefined) deleteProperty(env, name);
    else env[name] = value;
  }
  return before;
}

function quoteError({ name, message, traceback }: CellError): string {
  return `{"name":${stringify(name)},"message":${stringify(message)},"traceback":${stringify(traceback)}}`;
}
