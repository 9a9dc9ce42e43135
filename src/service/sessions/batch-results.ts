import type { CommandResult } from '../../commands/command-result.ts';
import { answerBytes } from '../../schemas/answer-fits.ts';
import { LIMITS } from '../../schemas/limits.ts';
import type { Ledger } from '../admission/ledger.ts';

/** The results of a batch while it runs, bounded together in bytes of JSON. Disposed of when they have been answered. */
export class BatchResults implements Disposable {
  readonly #results: (CommandResult | null)[];
  readonly #ledger: Ledger;
  readonly #owner: string | null;
  #bytes = 0;
  #count = 0;
  #failure: string | undefined;

  constructor(length: number, ledger: Ledger, owner: string | null) {
    this.#results = Array.from({ length }, () => null);
    this.#ledger = ledger;
    this.#owner = owner;
  }

  get all(): readonly (CommandResult | null)[] {
    return this.#results;
  }

  /** Commands that have ended. */
  get count(): number {
    return this.#count;
  }

  /** Why the first command that failed did so, naming it; undefined when none has. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Adds a result and gives it back with its size; one that does not fit is a failure without its result. */
  add(index: number, given: CommandResult): { result: CommandResult; bytes: number } {
    const left = LIMITS.batchAnswerBytes - this.#bytes;
    let result = given;
    let bytes = answerBytes(result, left);
    if (bytes > left || !this.#ledger.take(this.#owner, bytes)) {
      const error = 'It was done, and its result does not fit into the answer to the batch';
      result = { ...given, success: false, result: null, error };
      bytes = answerBytes(result, left);
      this.#ledger.add(this.#owner, bytes);
    }
    this.#bytes += bytes;
    this.#count++;
    this.#results[index] = result;
    if (!result.success) this.#failure ??= `commands[${index}]: ${result.error}`;
    return { result, bytes };
  }

  [Symbol.dispose](): void {
    this.#ledger.add(this.#owner, -this.#bytes);
    this.#bytes = 0;
  }
}
