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
