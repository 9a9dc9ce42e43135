import type { CellRequest } from '../protocol.ts';
import type { Host } from './host.ts';
import { withPristine } from './pristine.ts';
import { bindImports, constants, declare, takeResult } from './scope.ts';
import { rememberPlaces } from './stack.ts';
import { Unparsed } from './syntax/parse.ts';
import { type Script, toScript } from './transform.ts';

const PromiseType = Promise;

/** A cell that is no program of its language. */
export class UnparsedCell {
  readonly cell: number;
  readonly code: string;
  readonly reason: Unparsed;
  constructor({ cell, code }: CellRequest, reason: Unparsed) {
    this.cell = cell;
    this.code = code;
    this.reason = reason;
  }
}

/** SIGINT ended a cell that was running. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('The cell was interrupted by SIGINT');
    this.stack = '';
  }
}

/** Runs a cell to its end; resolves to the value of its last expression. Rejects with what it threw. */
export async function runCell(host: Host, request: CellRequest): Promise<unknown> {
  const script = read(request, host);
  const file = `<cell-${request.cell}>`;
  rememberPlaces(file, script.placeOf);
  const mark = `\n//# sourceURL=${file}`;
  // A syntax error that the parser has let pass comes before anything runs.
  const main = host.evaluate(script.main + mark) as () => unknown;
  const imported: unknown[] = [];
  for (let i = 0; i < script.imports.length; i++) {
    const { specifier, attributes } = script.imports[i]!;
    imported[i] = await host.modules.import(specifier, { with: attributes });
  }
  withPristine(() => {
    declare(script.names);
    bindImports(script, imported);
  });
  if (script.functions) host.evaluate(script.functions + mark);
  takeResult();
  let ended: unknown;
  try {
    ended = await host.call(main, request.cell);
    // Where a program has replaced `then`, promises no longer resolve to what other promises resolve to.
    if (ended instanceof PromiseType) await ended;
  } catch (thrown) {
    throw host.isInterrupt(thrown) ? new Interrupted() : thrown;
  }
  const value = takeResult();
  if (!script.hasValue) return undefined;
  return value instanceof PromiseType ? await value : value;
}

function read(request: CellRequest, { strip, modules }: Host): Script {
  const { code, typescript } = request;
  try {
    return withPristine(() => {
      modules.refresh();
      return toScript(code, typescript, constants);
    });
  } catch (error) {
    if (!(error instanceof Unparsed)) throw error;
    const plain = typescript ? attempt(() => strip(code)) : null;
    const script =
      plain === null ? null : attempt(() => withPristine(() => toScript(plain, false, constants)));
    if (script === null) throw new UnparsedCell(request, error);
    return script;
  }
}

function attempt<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}
