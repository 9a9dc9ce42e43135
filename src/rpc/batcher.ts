import { setImmediate } from 'node:timers/promises';

/** Pieces of work begun per turn of the event loop; this many take some milliseconds. */
const AT_ONCE = 16;

/** Begins pieces of work in order, and yields to the event loop every few of them. */
export class Batcher {
  /** Resolves when all earlier pieces have begun. */
  #before: Promise<unknown> | undefined;

  /** Begins work for each value; resolves to the results when all are done. */
  async run<T, R>(values: readonly T[], begin: (value: T) => Promise<R>): Promise<R[]> {
    while (this.#before) await this.#before;
    const beginning = this.#begin(values, begin);
    if (values.length > AT_ONCE) {
      this.#before = beginning;
      await beginning;
      this.#before = undefined;
    }
    return Promise.all(await beginning);
  }

  /** The same for one value. */
  one<T, R>(value: T, begin: (value: T) => Promise<R>): Promise<R> {
    return this.#before ? this.run([value], begin).then(([result]) => result!) : begin(value);
  }

  async #begin<T, R>(values: readonly T[], begin: (value: T) => Promise<R>): Promise<Promise<R>[]> {
    const begun: Promise<R>[] = [];
    for (const [i, value] of values.entries()) {
      if (i > 0 && i % AT_ONCE === 0) await setImmediate();
      const work = begin(value);
      // A rejection is seen by Promise.all in `run`.
      work.catch(() => {});
      begun.push(work);
    }
    return begun;
  }
}
