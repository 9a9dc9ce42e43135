import { type CellError, ERROR_CHARACTERS } from '../protocol.ts';
import { cut } from './cut.ts';

/** A chain of causes may have no end. */
const MAX_CAUSES = 8;
/** Characters of a line that could not be read. */
const MAX_PLACE = 4096;
/** Errors of one that stands for many. */
const MAX_ERRORS = 16;

const ErrorType = Error;
const AggregateType = AggregateError;
const SyntaxErrorType = SyntaxError;
const { isArray } = Array;
const { apply } = Reflect;
const { toString: tagOf } = Object.prototype;

/** What tells one engine's errors from another's. */
export interface Teller {
  /** The program's own frames of a stack, each on a line of its own that begins with a line break. */
  framesOf(stack: string): string;
  inspect(value: unknown): string;
}

/** Tells what was thrown: anything at all, with getters that throw, or no error. May throw what a getter throws. */
export function tell(thrown: unknown, teller: Teller): CellError {
  return isError(thrown) ? fromError(thrown, teller, []) : notAnError(thrown, teller);
}

/** One of another realm (node:vm) is no instance of this one's `Error`. */
function isError(value: unknown): value is Error {
  return value instanceof ErrorType || apply(tagOf, value, []) === '[object Error]';
}

/** A syntax error, with the line and a mark below what was not expected. */
export function syntaxError(
  message: string,
  at: { file: string; line: number; column: number; text: string },
): CellError {
  const name = 'SyntaxError';
  const mark = `${' '.repeat(Math.max(0, at.column - 1))}^`;
  const where = `${at.file}:${at.line}:${at.column}`;
  return { name, message, traceback: `${where}\n${at.text}\n${mark}\n${name}: ${message}\n` };
}

export function bounded({ name, message, traceback }: CellError): CellError {
  return {
    name: name.slice(0, ERROR_CHARACTERS.name),
    message: cut(message, ERROR_CHARACTERS.message),
    traceback: cut(traceback, ERROR_CHARACTERS.traceback),
  };
}

/** For what can't even be looked at. */
export const UNTELLABLE: CellError = { name: 'Error', message: '', traceback: 'Error\n' };

function fromError(error: Error, teller: Teller, above: readonly Error[]): CellError {
  const name = text(error.name) || 'Error';
  const message = text(error.message);
  const head = message ? `${name}: ${message}` : name;
  const frames = teller.framesOf(text(error.stack));
  const beneath = [...above, error];
  const told = (other: unknown): string | null => {
    if (!isError(other) || beneath.includes(other) || beneath.length > MAX_CAUSES) return null;
    return fromError(other, teller, beneath).traceback.trimEnd();
  };
  const why = told(error.cause);
  let more = why === null ? '' : `\nCaused by: ${why}`;
  const { errors } = error as AggregateError;
  if (error instanceof AggregateType && isArray(errors)) {
    for (const each of errors.slice(0, MAX_ERRORS))
      more += `\nOne of its errors: ${told(each) ?? teller.inspect(each)}`;
  }
  return { name, message, traceback: `${place(error, head)}${head}${frames}${more}\n` };
}

/** Where a module could not be read, which stands before all else. */
function place(error: Error, head: string): string {
  if (!(error instanceof SyntaxErrorType)) return '';
  const stack = text(error.stack);
  const end = stack.indexOf(head);
  return end > 0 && end < MAX_PLACE ? `${stack.slice(0, end).trimEnd()}\n` : '';
}

function notAnError(thrown: unknown, { inspect }: Teller): CellError {
  const message = typeof thrown === 'string' ? thrown : inspect(thrown);
  return { name: 'Error', message, traceback: `Uncaught ${message}\n` };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
