import type { Call } from '../../src/service/call.ts';

type Caller = Pick<Call, 'owner'>;

/**
 * Calls that are being answered, by connection and id: before the revision of 2026-07-28 a client cancels one by another request,
 * `notifications/cancelled`.
 */
export class RunningCalls {
  readonly #calls = new Map<string, AbortController>();

  /** Of an id that runs already, the later one is the one that can be cancelled. The returned function ends it. */
  begin(connection: string, caller: Caller, id: unknown, call: AbortController): () => void {
    const key = keyOf(connection, caller, id);
    this.#calls.set(key, call);
    return () => {
      if (this.#calls.get(key) === call) this.#calls.delete(key);
    };
  }

  /** Does nothing when it has ended: the two may cross on their way. */
  cancel(connection: string, caller: Caller, id: unknown): void {
    this.#calls.get(keyOf(connection, caller, id))?.abort();
  }
}

/** An id may be a number or a string, and 1 is not "1". */
function keyOf(connection: string, { owner }: Caller, id: unknown): string {
  return JSON.stringify([owner, connection, id]);
}
