import type { CellError } from '../protocol.ts';
import { inspect } from './bun-api.ts';
import { bounded, syntaxError, tell, UNTELLABLE } from './cell-error.ts';

/** Tells what a cell threw: anything at all, with getters that throw, or no error. Never throws itself. */
export function describe(thrown: unknown, cell: number): CellError {
  try {
    const built = buildMessage(thrown);
    return bounded(built ? unparsed(built, cell) : tell(thrown, { framesOf, inspect }));
  } catch {
    return UNTELLABLE;
  }
}

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

function unparsed({ message, position }: BuildMessage, cell: number): CellError {
  if (!position) return { name: 'SyntaxError', message, traceback: `SyntaxError: ${message}\n` };
  const { lineText: text, line, column } = position;
  const file = /^input\.\w+$/.test(position.file) ? `<cell-${cell}>` : position.file;
  return syntaxError(message, { file, line, column, text });
}
