import type { CellRequest } from '../protocol.ts';
import { inspect } from './bun-api.ts';
import { bundle } from './results.ts';
import { evaluate } from './scope.ts';
import { rememberPrefix } from './traceback.ts';
import { type Script, toScript } from './transform.ts';

const PromiseType = Promise;
const { apply, getPrototypeOf } = Reflect;
const { then } = Promise.prototype;
const ready = Promise.resolve();

/** Runs a cell to its end; resolves to the JSON of its result, or null without one. Rejects with what it threw. */
export async function runCell({ cell, code, typescript }: CellRequest): Promise<string | null> {
  const script = toScript(code, typescript);
  const main = compile(script, cell);
  // Called by a promise and not from here, so that no frame of the kernel is on the program's stacks.
  let ended: unknown = await apply(then, ready, [main]);
  // Where a program has replaced `then`, promises no longer resolve to what other promises resolve to.
  if (ended instanceof PromiseType) ended = await ended;
  if (!script.hasValue || !isValue(ended)) return null;
  const value = ended.value instanceof PromiseType ? await ended.value : ended.value;
  return value === undefined ? null : await bundle(value, inspect);
}

/** Declares the cell's functions and names and returns what runs it; a syntax error comes before anything runs. */
function compile(script: Script, cell: number): () => unknown {
  rememberPrefix(cell, script.prefix);
  const mark = `\n//# sourceURL=<cell-${cell}>`;
  const main = evaluate(script.main + mark) as () => unknown;
  if (script.functions.trim()) evaluate(script.functions + mark);
  return main;
}

/** The transform's `{ __proto__: null, value }`; a cell may also `return` something of its own. */
function isValue(ended: unknown): ended is { value: unknown } {
  return typeof ended === 'object' && ended !== null && getPrototypeOf(ended) === null && 'value' in ended;
}
