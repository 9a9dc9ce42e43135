import { DEFAULT_CONTEXT } from '../../commands/execute-code.ts';
import type { CommandRequest } from '../../commands/index.ts';
import { isBackground } from '../../commands/is-background.ts';
import { cancelled } from '../../errors.ts';
import type { Call } from '../call.ts';

/** Runs tasks that share a key one after the other, in the order given; others run in parallel. */
export class Lanes {
  readonly #tails = new Map<string, Promise<unknown>>();

  /**
   * The task's place in each lane is taken before this returns. A task whose signal aborts while it waits rejects at once
   * with CANCELLED and never runs; tasks behind it keep waiting.
   */
  run<T>(keys: readonly string[], signal: AbortSignal, task: () => T | Promise<T>): Promise<T> {
    const tails = keys.flatMap(key => this.#tails.get(key) ?? []);
    const before = tails.length > 1 ? Promise.all(tails) : tails[0];
    const turn = (before ?? Promise.resolve()).then(() => {
      if (signal.aborted) throw cancelled();
      return task();
    });
    const leave = () => {
      for (const key of keys) if (this.#tails.get(key) === tail) this.#tails.delete(key);
    };
    const tail: Promise<void> = turn.then(leave, leave);
    for (const key of keys) this.#tails.set(key, tail);
    return before ? unlessAbortedWaiting(before, turn, signal) : turn;
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

/** The lanes of all commands of a batch. */
export function lanesOf(sessionId: string, commands: readonly CommandRequest[], call: Call): string[] {
  return [...new Set(commands.map(command => laneOf(sessionId, command, call)))].filter(
    lane => lane !== null,
  );
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
