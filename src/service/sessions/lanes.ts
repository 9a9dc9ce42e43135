import { DEFAULT_CONTEXT } from '../../commands/execute-code.ts';
import type { CommandRequest } from '../../commands/index.ts';
import { cancelled } from '../../errors.ts';
import type { Call } from '../call.ts';

/** Tasks under one key run one after the other, in the order given; other keys beside. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>();

  /**
   * The task's place is taken before this returns. One whose signal is aborted while it waits is answered at once with
   * CANCELLED and never runs; those behind keep waiting.
   */
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

/**
 * The key under which a command waits: cells of another context run beside those of the default one, and a background
 * command beside everything (null).
 */
export function laneOf(sessionId: string, { type, params }: CommandRequest, { lane }: Call): string | null {
  if (lane === null || (type === 'execute_shell' && params.background)) return null;
  const context = 'context' in params ? (params.context ?? DEFAULT_CONTEXT) : DEFAULT_CONTEXT;
  return `${lane}\n${sessionId}\n${context}`;
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
