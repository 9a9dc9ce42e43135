import { ERRORS } from '../errors.ts';
import { failure } from './envelope.ts';

/** Bytes (UTF-16 units, to be exact) that the answer to one batch may have. */
const MAX_ANSWER = 64 * 1024 * 1024;

/** Collects the answers to one batch into one array, in the order they become ready. */
export class Batch {
  readonly #answers: string[] = [];
  #length = 0;

  /** An answer that no longer fits is replaced by an error, so that a batch of reads can't fill our memory. */
  add(answer: string | null, request: unknown): void {
    if (answer === null) return;
    const fits = this.#length + answer.length <= MAX_ANSWER;
    const text = fits
      ? answer
      : JSON.stringify(tooLong((request as { id?: string | number | null }).id ?? null));
    this.#length += text.length;
    this.#answers.push(text);
  }

  /** Null when no answer is due: every request was a notification. */
  text(): string | null {
    return this.#answers.length === 0 ? null : `[${this.#answers.join(',')}]`;
  }
}

function tooLong(id: string | number | null) {
  return failure(id, ERRORS.PAYLOAD_TOO_LARGE.rpc, `The answer to this batch is over ${MAX_ANSWER} bytes`, {
    code: 'PAYLOAD_TOO_LARGE',
  });
}
