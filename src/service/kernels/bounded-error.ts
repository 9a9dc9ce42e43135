import { cut } from '../../kernels/javascript/cut.ts';
import { type CellError, ERROR_CHARACTERS } from '../../kernels/protocol.ts';

/** Room for what kernels put where they have cut, characters. */
const MARK_CHARACTERS = 64;

/** A cell's error of no more than kernels tell of one: a program that speaks for its kernel could say anything. */
export function boundedError({ name, message, traceback }: CellError): CellError {
  return {
    name: bounded(name, ERROR_CHARACTERS.name),
    message: bounded(message, ERROR_CHARACTERS.message),
    traceback: bounded(traceback, ERROR_CHARACTERS.traceback),
  };
}

/** Python counts a character outside of Unicode's first 65,536 once, and so may leave more than there is room for here. */
function bounded(text: string, most: number): string {
  // A part of a string would keep all of it in memory: it is copied.
  return text.length > most + MARK_CHARACTERS
    ? Buffer.from(cut(text, most), 'utf16le').toString('utf16le')
    : text;
}
