/** Hands values from who has them to who wants them, one after the other: who has one waits until it is wanted. */
export class Handover<T> implements AsyncIterable<T> {
  #given: { readonly value: T; readonly taken: () => void }[] = [];
  #wake: () => void = () => {};
  readonly #until: AbortSignal;

  /** Nothing is given or taken once the signal is aborted. */
  constructor(until: AbortSignal) {
    this.#until = until;
    until.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** Resolves when it has been taken, or never will be. */
  give(value: T): Promise<void> {
    if (this.#until.aborted) return Promise.resolve();
    return new Promise(taken => {
      this.#given.push({ value, taken });
      this.#wake();
    });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    while (!this.#until.aborted) {
      const next = this.#given.shift();
      if (next) {
        next.taken();
        yield next.value;
      } else {
        await new Promise<void>(resolve => {
          this.#wake = resolve;
        });
      }
    }
  }

  #end(): void {
    for (const { taken } of this.#given) taken();
    this.#given = [];
    this.#wake();
  }
}
