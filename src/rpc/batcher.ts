import { setImmediate } from 'node:timers/promises';

/** So many at once take some milliseconds, whatever they are. */
const AT_ONCE = 16;

/** Begins pieces of work in the order they come in, and lets everybody else have a turn every few of them. */
export class Batcher {
  /** Resolves when all that came before has begun. */
  #before: Promise<unknown> | undefined;

  /** Resolves when all is done that was begun for these values, to what came of it. */
  async take<T, R>(values: readonly T[], begin: (value: T) => Promise<R>): Promise<R[]> {
    while (this.#before) await this.#before;
    const beginning = this.#begin(values, begin);
    if (values.length > AT_ONCE) {
      this.#before = beginning;
      await beginning;
      this.#before = undefined;
    }
    return Promise.all(await beginning);
  }

  async #begin<T, R>(values: readonly T[], begin: (value: T) => Promise<R>): Promise<Promise<R>[]> {
    const begun: Promise<R>[] = [];
    for (const [i, value] of values.entries()) {
      if (i > 0 && i % AT_ONCE === 0) await setImmediate();
      const work = begin(value);
      // Seen at the end, with the others'.
      work.catch(() => {});
      begun.push(work);
    }
    return begun;
  }
}
