/** Longest time of a timer, milliseconds. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** Resolves with the work, or to null when that takes longer; the work goes on. Rejects as the work does in that time. */
export async function inTime<T>(work: Promise<T>, seconds: number): Promise<T | null> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(late.resolve, Math.min(seconds * 1000, MAX_TIMER_MS), null);
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
