import { ServiceError } from '../../errors.ts';

/** Queues of one connection: tasks under one key run one after the other, in the order given; other keys beside. */
export class Order {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** A task whose signal is aborted while it waits is answered at once and never runs; those behind keep waiting. */
  run<T>(key: string, signal: AbortSignal, task: () => T | Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const turn = (before ?? Promise.resolve()).then(() => {
      if (signal.aborted) throw cancelled();
      return task();
    });
    const tail: Promise<void> = turn.then(
      () => this.#leave(key, tail),
      () => this.#leave(key, tail),
    );
    this.#tails.set(key, tail);
    return before ? unlessAbortedWaiting(before, turn, signal) : turn;
  }

  #leave(key: string, tail: Promise<unknown>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }
}

function unlessAbortedWaiting<T>(
  before: Promise<unknown>,
  turn: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const refuse = () => reject(cancelled());
    signal.addEventListener('abort', refuse, { once: true });
    // From its turn on the task answers to the signal itself.
    void before.then(() => signal.removeEventListener('abort', refuse));
    turn.then(resolve, reject);
  });
}

export function cancelled(): ServiceError {
  return new ServiceError('CANCELLED', 'Cancelled');
}
