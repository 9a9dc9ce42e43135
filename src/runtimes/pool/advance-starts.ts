/** So many in a row that came to nothing are no accident. */
const MOST_IN_VAIN = 3;
/** Nothing is started in advance for this long then, milliseconds. */
const REST_MS = 30_000;

/**
 * Whether interpreters of a pool come to wait. One that ends before it does, as a Bun that can't load what holds it, takes as much of the
 * CPU as a program's own start, each time and for nothing.
 */
export class AdvanceStarts {
  readonly #name: string;
  #inVain = 0;
  #restsUntil = 0;
  #told = false;

  /** `name`: what operators are told that it is. */
  constructor(name: string) {
    this.#name = name;
  }

  get rest(): boolean {
    return performance.now() < this.#restsUntil;
  }

  /** Takes what came of a start in a sandbox that was nobody's yet. */
  count(waits: boolean): void {
    this.#inVain = waits ? 0 : this.#inVain + 1;
    if (this.#inVain < MOST_IN_VAIN) return;
    this.#restsUntil = performance.now() + REST_MS;
    if (this.#told) return;
    this.#told = true;
    process.stderr.write(
      `${this.#name} ends where it is to wait for what it runs, and is started afresh for each run instead.\n`,
    );
  }
}
