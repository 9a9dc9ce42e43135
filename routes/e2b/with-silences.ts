/** The same values, and null after each time in which nothing came. */
export async function* withSilences<T>(
  values: AsyncIterable<T>,
  afterMs: number | null,
): AsyncGenerator<T | null, void> {
  if (afterMs === null) return yield* values;
  const iterator = values[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    while (true) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<null>(resolve => {
        timer = setTimeout(resolve, afterMs, null);
      });
      const result = await Promise.race([next, silence]);
      clearTimeout(timer);
      if (result === null) yield null;
      else if (result.done) return;
      else {
        yield result.value;
        next = iterator.next();
      }
    }
  } finally {
    // Not awaited: it may be waiting for what never comes.
    void iterator.return?.();
  }
}
