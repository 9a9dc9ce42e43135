import type { ExecutionEvent } from '../../src/schemas/events.ts';

/** Most text of a run that is put in order, characters; what comes later is left out. */
const MOST_LENGTH = 4 * 1024 * 1024;

type Output = Extract<ExecutionEvent, { method: 'execution.output' }>;

/** What a program printed, as text; bytes that are not UTF-8 become U+FFFD. */
export const textOf = ({ params: { text, data } }: Output): string =>
  text ?? Buffer.from(data ?? '', 'base64').toString('utf8');

/** Collects what a program prints on both streams, in its order. */
export class PrintedText {
  #parts: string[] = [];
  #length = 0;

  add(output: Output): void {
    const part = textOf(output).slice(0, MOST_LENGTH - this.#length);
    this.#length += part.length;
    if (part) this.#parts.push(part);
  }

  toString(): string {
    return this.#parts.join('');
  }
}
