// As they were before the first cell.
const { Promise: OwnPromise, setImmediate } = globalThis;

/** Resolves once the microtasks are through, and with them what the engine tells of rejections that nobody handles. */
export function turn(): Promise<void> {
  return new OwnPromise(resolve => void setImmediate(resolve));
}
