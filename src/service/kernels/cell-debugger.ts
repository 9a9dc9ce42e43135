import type { KernelClient } from './kernel-client.ts';

/**
 * A debugger of a context's cells. While it is there, a cell may take as long as it likes and takes nobody's place, for debuggers are
 * counted themselves: so a debugger that leaves a cell behind is counted until that cell has ended.
 */
export class CellDebugger {
  readonly #free: () => void;
  readonly #gone = new AbortController();
  #holds = false;
  /** The one that has connected to it. */
  kernel: KernelClient | null = null;

  /** `free` gives its place back; called once. */
  constructor(free: () => void) {
    this.#free = free;
  }

  /** Aborted when it has left: from then on its cells have their limits. */
  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** Has a cell run in its place; the returned function ends that. */
  hold(): () => void {
    this.#holds = true;
    return () => {
      this.#holds = false;
      if (this.gone.aborted) this.#free();
    };
  }

  leave(): void {
    this.#gone.abort();
    if (!this.#holds) this.#free();
  }
}
