/** What came and was not read yet, for one reader. */
export class Unread<T> implements AsyncIterable<T> {
  readonly #most: number;
  readonly #overflow: () => readonly T[];
  #values: T[] = [];
  #end: { readonly error?: unknown } | undefined;
  #wake: () => void = () => {};

  /** @param overflow what takes the place of all that waits, where more than `most` would */
  constructor(most = Number.POSITIVE_INFINITY, overflow: () => readonly T[] = () => []) {
    this.#most = most;
    this.#overflow = overflow;
  }

  push(values: readonly T[]): void {
    if (this.#values.length + values.length > this.#most) this.#values = [...this.#overflow()];
    this.#values.push(...values);
    this.#wake();
  }

  /** @param end with the error that what came before is followed by, if any */
  end(end: { readonly error?: unknown }): void {
    this.#end ??= end;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void> {
    for (;;) {
      const values = this.#values;
      this.#values = [];
      yield* values;
      if (this.#values.length > 0) continue;
      if (this.#end) {
        if ('error' in this.#end) throw this.#end.error;
        return;
      }
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }
}
