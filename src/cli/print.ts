import type { Writable } from 'node:stream';
import { EXIT, exitCodeOfSignal } from './exit-codes.ts';
import { jsonOf, printable, printableLines } from './printable.ts';
import { reasonOf } from './reason-of.ts';

const READER_IS_GONE = ['EPIPE', 'ECONNRESET'];

/** Whoever reads goes away first, such as `head`: what a shell's own programs end by then. A disk that is full is told. */
export function endWithReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', endBy);
}

/** What other people's work hangs on goes on: undoes that. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.off('error', endBy);
}

function endBy(error: NodeJS.ErrnoException): void {
  if (READER_IS_GONE.includes(error.code ?? '')) process.exit(exitCodeOfSignal('SIGPIPE'));
  tell(`what is printed can't be written: ${reasonOf(error)}`);
  process.exit(EXIT.failed);
}

/** Resolves when the system has taken it: what this process still holds is lost with its end. */
export function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise(resolve => stream.write(data, () => resolve()));
}

/** Resolves when the system has taken all that was written before. */
export async function flushed(stream: Writable): Promise<void> {
  if (stream.writableLength > 0) await write(stream, '');
}

/** Lines of our own, for people. */
export const tell = (text: string) => void process.stderr.write(`codebeaker: ${printableLines(text)}\n`);

export const printJson = (value: unknown) => write(process.stdout, `${jsonOf(value, 2)}\n`);

/** One line that the next one takes the place of, where a person looks on; nothing elsewhere. */
export class Progress {
  #isShown = false;

  show(text: string): void {
    if (!process.stderr.isTTY) return;
    // A terminal that nobody gave a size has none.
    const most = (process.stderr.columns || 80) - 1;
    process.stderr.write(`\r\x1b[K${printable(text).slice(0, most)}`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K');
    this.#isShown = false;
  }
}
