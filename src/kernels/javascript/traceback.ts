import type { CellError } from '../protocol.ts';
import { UnparsedCell } from './cell.ts';
import { bounded, syntaxError, tell, UNTELLABLE } from './cell-error.ts';
import { isOwnFrame } from './stack.ts';

/** Tells what a cell threw: anything at all, with getters that throw, or no error. Never throws itself. */
export function describe(thrown: unknown, inspect: (value: unknown) => string): CellError {
  try {
    if (thrown instanceof UnparsedCell) return bounded(unparsed(thrown));
    return bounded(unbuilt(thrown) ?? tell(thrown, { framesOf, inspect }));
  } catch {
    return UNTELLABLE;
  }
}

function unparsed({ cell, code, reason: { message, line, column } }: UnparsedCell): CellError {
  const text = code.split('\n')[line - 1] ?? '';
  return syntaxError(message, { file: `<cell-${cell}>`, line, column, text });
}

const AggregateType = AggregateError;

/** What Bun throws of a module that it can't read. */
interface BuildMessage {
  readonly message: string;
  readonly position: { lineText: string; file: string; line: number; column: number } | null;
}

function unbuilt(thrown: unknown): CellError | null {
  if (thrown === null || typeof thrown !== 'object') return null;
  const first = thrown instanceof AggregateType ? thrown.errors[0] : thrown;
  if ((first as { name?: unknown } | undefined)?.name !== 'BuildMessage') return null;
  const { message, position } = first as BuildMessage;
  if (!position) return { name: 'SyntaxError', message, traceback: `SyntaxError: ${message}\n` };
  const { lineText: text, file, line, column } = position;
  return syntaxError(message, { file, line, column, text });
}

/** The program's frames; its stacks have no others, unless it makes them itself. */
function framesOf(stack: string): string {
  let frames = '';
  for (const line of stack.split('\n')) if (/^\s+at /.test(line) && isOwnFrame(line)) frames += `\n${line}`;
  return frames;
}
