import type { CellError } from '../protocol.ts';
import { inspect } from './bun-api.ts';
import { cut } from './cut.ts';

/** Characters of what goes to the service. */
const MAX_MESSAGE = 64 * 1024;
const MAX_TRACEBACK = 256 * 1024;

/** Tells what a cell threw: anything at all, with getters that throw, or no error. Never throws itself. */
export function describe(thrown: unknown, cell: number): CellError {
  try {
    const built = buildMessage(thrown);
    if (built) return bounded(syntaxError(built, cell));
    return bounded(thrown instanceof ErrorType ? fromError(thrown) : notAnError(thrown));
  } catch {
    return { name: 'Error', message: '', traceback: 'Error\n' };
  }
}

/** `depth` bounds a chain of causes, which may be a circle. */
function fromError(error: Error, depth = 8): CellError {
  const name = text(error.name) || 'Error';
  const message = text(error.message);
  const head = message ? `${name}: ${message}` : name;
  const frames = framesOf(text(error.stack));
  const why = error.cause instanceof ErrorType && depth > 0 ? fromError(error.cause, depth - 1) : null;
  const cause = why ? `\nCaused by: ${why.traceback.trimEnd()}` : '';
  return { name, message, traceback: `${head}${frames}${cause}\n` };
}

function notAnError(thrown: unknown): CellError {
  const message = typeof thrown === 'string' ? thrown : inspect(thrown);
  return { name: 'Error', message, traceback: `Uncaught ${message}\n` };
}

const ErrorType = Error;
const AggregateType = AggregateError;
const OWN_FILE = (import.meta as { path?: string }).path ?? '';

/** How much stands before a cell's own text on its first line. */
const prefixes = new Map<string, number>();

export function rememberPrefix(cell: number, length: number): void {
  prefixes.set(`<cell-${cell}>`, length);
}

/** The frames of the program: what is below the first frame of the kernel is the kernel's. */
function framesOf(stack: string): string {
  let frames = '';
  for (const line of stack.split('\n')) {
    if (!/^\s+at /.test(line)) continue;
    if (line.includes(OWN_FILE) || line.includes('/[cell]:')) break;
    if (!/\(native:|\(unknown\)$|<parse>|^\s+at native:/.test(line)) {
      frames += `\n${line.replace(/(<cell-\d+>):1:(\d+)/, ownColumn)}`;
    }
  }
  return frames;
}

function ownColumn(_: string, file: string, column: string): string {
  return `${file}:1:${Math.max(1, Number(column) - (prefixes.get(file) ?? 0))}`;
}

/** What Bun's transpiler throws. */
interface BuildMessage {
  readonly message: string;
  readonly position: { lineText: string; file: string; line: number; column: number } | null;
}

function buildMessage(thrown: unknown): BuildMessage | null {
  if (thrown === null || typeof thrown !== 'object') return null;
  const first = thrown instanceof AggregateType ? thrown.errors[0] : thrown;
  return (first as { name?: unknown } | undefined)?.name === 'BuildMessage' ? (first as BuildMessage) : null;
}

function syntaxError({ message, position }: BuildMessage, cell: number): CellError {
  const name = 'SyntaxError';
  if (!position) return { name, message, traceback: `${name}: ${message}\n` };
  const { lineText, line, column } = position;
  const file = /^input\.\w+$/.test(position.file) ? `<cell-${cell}>` : position.file;
  const mark = `${' '.repeat(Math.max(0, column - 1))}^`;
  return {
    name,
    message,
    traceback: `${file}:${line}:${column}\n${lineText}\n${mark}\n${name}: ${message}\n`,
  };
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
