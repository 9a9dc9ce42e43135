import { isOwnFrame, placed } from './stack.ts';

const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const { defineProperty } = Reflect;

type Inspect = (value: unknown, options?: object) => string;

/**
 * Has Bun print errors as Node.js does: their stack and what else they hold. By itself it shows source beside them, which in
 * a cell is not what the user wrote, and frames that the stack does not have.
 */
export function printErrorsByStack(): void {
  let isInside = false;
  let inspect: Inspect | undefined;
  defineProperty(Error.prototype, INSPECT, {
    value(this: unknown, _depth: number, options?: object) {
      if (isInside) return this;
      isInside = true;
      try {
        if (this instanceof ExceptionType) tidy(this);
        inspect ??= (require('node:util') as { inspect: Inspect }).inspect;
        return inspect(this, { ...options, depth: 4 });
      } finally {
        isInside = false;
      }
    },
    writable: true,
    configurable: true,
    enumerable: false,
  });
  traceByStack();
}

const ExceptionType = DOMException;

/** What Bun makes of these itself has a stack of JavaScriptCore's own kind, with all frames, and says where in enumerable properties. */
function tidy(exception: DOMException & { stack?: unknown }): void {
  const { stack } = exception;
  if (typeof stack !== 'string' || !/^[^\n]*@/.test(stack)) return;
  let frames = '';
  for (const line of stack.split('\n')) {
    const [, name = '', place = ''] = /^([^@]*)@(.*)$/.exec(line) ?? [];
    const isNamed = name !== '' && !/^(?:module|eval|global) code$/.test(name);
    const frame = isNamed ? `${name} (${place})` : place;
    if (place !== '' && isOwnFrame(frame)) frames += `\n    at ${placed(frame)}`;
  }
  for (const name of ['line', 'column', 'sourceURL']) Reflect.deleteProperty(exception, name);
  exception.stack = `${exception.name}: ${exception.message}${frames}`;
}

/** Bun takes the frames of `console.trace` from nowhere that can be told which are the program's. */
function traceByStack(): void {
  const { captureStackTrace } = Error;
  const printError = console.error.bind(console);
  const trace = (...data: unknown[]) => {
    const { format } = require('node:util') as { format: (...data: unknown[]) => string };
    const error = { name: 'Trace', message: format(...data), stack: '' };
    captureStackTrace(error, trace);
    printError(error.stack);
  };
  console.trace = trace;
}
