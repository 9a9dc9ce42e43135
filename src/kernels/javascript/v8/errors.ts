import type { CellError } from '../../protocol.ts';
import { cut } from '../cut.ts';
import { inspect } from './inspect.ts';
import { ownLine } from './typescript.ts';

/** Characters of what goes to the service. */
const MAX_MESSAGE = 64 * 1024;
const MAX_TRACEBACK = 256 * 1024;
const MAX_CAUSES = 8;

const ErrorType = Error;
const SyntaxErrorType = SyntaxError;

/** Where V8 says that a cell failed. */
interface Place {
  readonly cell: number;
  /** The cell as the user wrote it. */
  readonly code: string;
  readonly line: number;
  readonly column: number;
}

/** What a cell threw: anything at all. */
export class Thrown {
  readonly value: unknown;
  readonly place: Place;
  constructor(value: unknown, place: Place) {
    this.value = value;
    this.place = place;
  }
}

/** Tells what was thrown: anything at all, with getters that throw, or no error. Never throws itself. */
export function describe(thrown: unknown): CellError {
  try {
    const { value, place } = thrown instanceof Thrown ? thrown : { value: thrown, place: null };
    if (!(value instanceof ErrorType)) return bounded(notAnError(value));
    const error = fromError(value, MAX_CAUSES);
    const atParse = place && value instanceof SyntaxErrorType && !error.traceback.includes('\n    at ');
    return bounded(atParse ? syntaxError(error, place) : error);
  } catch {
    return { name: 'Error', message: '', traceback: 'Error\n' };
  }
}

function fromError(error: Error, depth: number): CellError {
  const name = text(error.name) || 'Error';
  const message = text(error.message);
  const head = message ? `${name}: ${message}` : name;
  const why = error.cause instanceof ErrorType && depth > 0 ? fromError(error.cause, depth - 1) : null;
  const cause = why ? `\nCaused by: ${why.traceback.trimEnd()}` : '';
  return { name, message, traceback: `${head}${framesOf(text(error.stack))}${cause}\n` };
}

function notAnError(thrown: unknown): CellError {
  const message = typeof thrown === 'string' ? thrown : inspect(thrown);
  return { name: 'Error', message, traceback: `Uncaught ${message}\n` };
}

/** The line and a mark below what V8 did not expect. */
function syntaxError({ name, message }: CellError, { cell, code, line, column }: Place): CellError {
  const shown = code.split('\n')[line - 1] ?? '';
  const mark = `${' '.repeat(Math.max(0, column - 1))}^`;
  const traceback = `<cell-${cell}>:${line}:${column}\n${shown}\n${mark}\n${name}: ${message}\n`;
  return { name, message, traceback };
}

/** What lies below the first frame of the inspector's is the kernel's. */
const INSPECTOR = /node:inspector|ext:deno_node\/inspector/;
/** How Node.js and Deno call a timer's or a promise's function is nobody's concern. */
const INTERNAL = /node:internal|\bext:/;

/** The frames of the program, with the lines that the user wrote. */
function framesOf(stack: string): string {
  let frames = '';
  for (const line of stack.split('\n')) {
    if (!/^\s+at /.test(line)) continue;
    if (INSPECTOR.test(line)) break;
    if (INTERNAL.test(line)) continue;
    const own = line.replace(
      /(<cell-\d+>):(\d+):/,
      (_, file: string, at: string) => `${file}:${ownLine(file, Number(at))}:`,
    );
    frames += `\n${own}`;
  }
  return frames;
}

function bounded({ name, message, traceback }: CellError): CellError {
  return {
    name: name.slice(0, 256),
    message: cut(message, MAX_MESSAGE),
    traceback: cut(traceback, MAX_TRACEBACK),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
