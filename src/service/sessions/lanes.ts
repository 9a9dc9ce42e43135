import { DEFAULT_CONTEXT } from '../../commands/execute-code.ts';
import type { CommandRequest } from '../../commands/index.ts';
import { isBackground } from '../../commands/is-background.ts';
import { cancelled } from '../../errors.ts';
import type { Call } from '../call.ts';

/** Runs tasks of one key one after the other, in the order given; tasks of different keys run in parallel. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>();

  /**
   * The task's place is taken before this returns. A task whose signal aborts while it waits rejects at once
   * with CANCELLED and never runs; tasks behind it keep waiting.
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
 * The lane of a command. Cells of different contexts have different lanes; a background command has none
 * (null).
 */
export function laneOf(sessionId: string, command: CommandRequest, { lane }: Call): string | null {
  if (lane === null || isBackground(command)) return null;
  const { params } = command;
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
    // Once it has started, the task handles the signal itself.
    void before.then(() => signal.removeEventListener('abort', refuse));
    turn.then(resolve, reject);
  });
}
