import { LIMITS } from '../schemas/limits.ts';

/** Collects the answers to one batch into one array, in the order they become ready. */
export class Batch {
  readonly #answers: string[] = [];
  #bytes = 0;
  /** Set when an answer did not fit; requests that only read are then refused without being run. */
  full = false;

  /** Most bytes of the next answer. */
  get left(): number {
    return Math.max(0, LIMITS.batchReplyBytes - this.#bytes);
  }

  add(answer: string | null): void {
    if (answer === null) return;
    this.#bytes += Buffer.byteLength(answer);
    this.#answers.push(answer);
  }

  /** Null when no answer is due: every request was a notification. */
  text(): string | null {
    return this.#answers.length === 0 ? null : `[${this.#answers.join(',')}]`;
  }
}
