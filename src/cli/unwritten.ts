import { printable } from './printable.ts';
import { reasonOf } from './reason-of.ts';

/** What a failure of this machine's means for who wanted something written there; any other failure is itself. */
export function unwritten(path: string, error: unknown): unknown {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return error;
  const why = code === 'ENOENT' ? 'there is no such directory' : reasonOf(error);
  return new Error(`${printable(path)} can't be written: ${why}.`, { cause: error });
}
