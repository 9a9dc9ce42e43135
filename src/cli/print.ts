import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { exitCodeOfSignal } from './exit-codes.ts';
import { printable, printableLines } from './printable.ts';

/** Whoever reads goes away first, such as `head`: what a shell's own programs end by then. */
export function endWithReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => process.exit(exitCodeOfSignal('SIGPIPE')));
}

/** Resolves when more may come. */
export async function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  if (!stream.write(data)) await once(stream, 'drain');
}

/** Lines of our own, for people. */
export const tell = (text: string) => void process.stderr.write(`codebeaker: ${printableLines(text)}\n`);

export const printJson = (value: unknown) => write(process.stdout, `${JSON.stringify(value, null, 2)}\n`);

/** One line that the next one takes the place of, where a person looks on; nothing elsewhere. */
export class Progress {
  #isShown = false;

  show(text: string): void {
    if (!process.stderr.isTTY) return;
    const most = Math.max(1, (process.stderr.columns ?? 80) - 1);
    process.stderr.write(`\r\x1b[K${printable(text).slice(0, most)}`);
    this.#isShown = true;
  }

  clear(): void {
    if (this.#isShown) process.stderr.write('\r\x1b[K');
    this.#isShown = false;
  }
}
