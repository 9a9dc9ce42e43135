import { Session } from 'node:inspector';
import type { CellRequest } from '../../protocol.ts';
import { Interrupted, Thrown } from './errors.ts';
import { host } from './host.ts';
import { withoutModuleSyntax } from './imports.ts';
import { toJavaScript } from './typescript.ts';

/** What V8's inspector answers (Chrome DevTools Protocol, Runtime). */
interface RemoteObject {
  readonly type: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly objectId?: string;
}
interface Evaluated {
  readonly result: RemoteObject;
  readonly exceptionDetails?: {
    readonly exception?: RemoteObject;
    readonly lineNumber: number;
    readonly columnNumber: number;
    readonly text: string;
  };
}

const PromiseType = Promise;
const session = new Session();
session.connect();
const post = session.post.bind(session) as (
  method: string,
  params: object,
  answered: (error: Error | null, answer: unknown) => void,
) => void;
/** Objects come out of the inspector as numbers; through this function of the global scope they come as themselves. */
const TAKE = Symbol.for(`cell.${crypto.randomUUID()}`);
let taken: unknown;
Object.defineProperty(globalThis, TAKE, { value: (value: unknown) => (taken = value) });
const HAND_OVER = `function () { globalThis[Symbol.for(${JSON.stringify(Symbol.keyFor(TAKE))})](this) }`;

/** Runs a cell to its end; resolves to the value of its last expression. Rejects with {@link Thrown}. */
export async function runCell({ cell, code, typescript }: CellRequest): Promise<unknown> {
  const script = toJavaScript(code, typescript, cell);
  const text = withoutModuleSyntax(asExpression(script.code));
  const expression = `${text}\n//# sourceURL=<cell-${cell}>`;
  const answer = await evaluate(expression);
  const { result, exceptionDetails } = answer;
  if (exceptionDetails) {
    const { exception, lineNumber, columnNumber } = exceptionDetails;
    const thrown = exception ? take(exception) : exceptionDetails.text;
    post('Runtime.releaseObjectGroup', { objectGroup: 'cell' }, () => {});
    throw new Thrown(thrown, { cell, code, line: script.lineOf(lineNumber + 1), column: columnNumber + 1 });
  }
  const value = take(result);
  post('Runtime.releaseObjectGroup', { objectGroup: 'cell' }, () => {});
  return value instanceof PromiseType ? await settled(value, { cell, code }) : value;
}

async function settled(value: Promise<unknown>, { cell, code }: { cell: number; code: string }) {
  try {
    return await value;
  } catch (thrown) {
    throw new Thrown(thrown, { cell, code, line: 1, column: 1 });
  }
}

function evaluate(expression: string): Promise<Evaluated> {
  const params = { expression, replMode: true, awaitPromise: true, objectGroup: 'cell', silent: true };
  return new PromiseType((resolve, reject) => {
    const run = () =>
      post('Runtime.evaluate', params, (error, answer) =>
        error ? reject(failure(error)) : resolve(answer as Evaluated),
      );
    try {
      host.interruptibly(run);
    } catch (error) {
      reject(failure(error as Error));
    }
  });
}

/** V8's word for an interrupt, and Node.js's. */
const ENDED = /Execution was terminated$|^Script execution was interrupted/;

function failure(error: Error): Error {
  return ENDED.test(error.message) ? new Interrupted() : error;
}

function take(object: RemoteObject): unknown {
  const { objectId, unserializableValue, value } = object;
  if (unserializableValue !== undefined) return fromText(unserializableValue);
  if (objectId === undefined) return value;
  taken = undefined;
  post('Runtime.callFunctionOn', { objectId, functionDeclaration: HAND_OVER, silent: true }, () => {});
  const found = taken;
  taken = undefined;
  return found;
}

/** `-0`, `NaN`, infinities and big integers. */
function fromText(text: string): number | bigint {
  return text.endsWith('n') ? BigInt(text.slice(0, -1)) : Number(text);
}

const AsyncFunction = (async () => {}).constructor as new (body: string) => unknown;

/** A cell that begins with a brace is an object if it can be one, as in every REPL. */
function asExpression(code: string): string {
  if (!/^\s*\{/.test(code) || /;\s*$/.test(code)) return code;
  try {
    new AsyncFunction(`(${code}\n)`);
    return `(${code}\n)`;
  } catch {
    return code;
  }
}
