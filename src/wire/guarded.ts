/**
 * A listener of a stream whose other end is not this process: what it throws is given to `failed`, which ends that stream and
 * what depends on it. Thrown out of a listener, it would end the server. What `failed` throws is dropped: nobody is left to tell.
 */
export function guarded<A extends unknown[]>(
  listener: (...args: A) => void,
  failed: (problem: Error) => void,
): (...args: A) => void {
  return (...args) => {
    try {
      listener(...args);
    } catch (error) {
      try {
        failed(error instanceof Error ? error : new Error(String(error)));
      } catch {}
    }
  };
}
