/** What `work` resolves to. @throws when it takes longer than it may; it goes on then, and nobody hears how it ends */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not done after ${Math.round(ms / 1000)} s`)), ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
