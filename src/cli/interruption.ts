import { exitCodeOfSignal } from './exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Ctrl-C, and what else asks this process to end: the first time it aborts, the second it leaves at once. */
export class Interruption implements Disposable {
  readonly #controller = new AbortController();
  /** The signal that came. */
  by: NodeJS.Signals | undefined;

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#take);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  [Symbol.dispose](): void {
    for (const signal of SIGNALS) process.off(signal, this.#take);
  }

  readonly #take = (signal: NodeJS.Signals) => {
    if (this.by !== undefined) process.exit(exitCodeOfSignal(signal));
    this.by = signal;
    this.#controller.abort(new Interrupted(signal));
  };
}

/** What was done was left because this process was asked to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: NodeJS.Signals;
  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    this.signal = signal;
  }
}
