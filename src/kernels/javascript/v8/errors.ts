import type { CellError } from '../../protocol.ts';
import { bounded, syntaxError, tell, UNTELLABLE } from '../cell-error.ts';
import { inspect } from './inspect.ts';
import { ownLine } from './typescript.ts';

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

/** SIGINT ended a cell that was running. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('The cell was interrupted by SIGINT');
    this.stack = '';
  }
}

/** Tells what was thrown: anything at all, with getters that throw, or no error. Never throws itself. */
export function describe(thrown: unknown): CellError {
  try {
    const { value, place } = thrown instanceof Thrown ? thrown : { value: thrown, place: null };
    const error = tell(value, { framesOf, inspect });
    const atParse = place && value instanceof SyntaxErrorType && !error.traceback.includes('\n    at ');
    return bounded(atParse ? unparsed(error.message, place) : error);
  } catch {
    return UNTELLABLE;
  }
}

function unparsed(message: string, { cell, code, line, column }: Place): CellError {
  const text = code.split('\n')[line - 1] ?? '';
  return syntaxError(message, { file: `<cell-${cell}>`, line, column, text });
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
