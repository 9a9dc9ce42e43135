import type { Call } from '../../src/service/call.ts';
import type { Message } from './message.ts';

type Caller = Pick<Call, 'owner'>;

/** A call that is being answered. */
export interface RunningCall {
  cancel(): void;
  /** Takes its client's answer to what it asked. */
  take(answer: Message): void;
}

/**
 * Calls of connections that are being answered. Before the revision of 2026-07-28 a client cancels one by a request of its own,
 * `notifications/cancelled`, and answers what it is asked meanwhile by another.
 */
export class RunningCalls {
  /** By connection, then by id. */
  readonly #connections = new Map<string, Map<unknown, RunningCall>>();

  /** Of two calls with one id the later is known. The returned function ends it. */
  begin(connection: string, caller: Caller, id: unknown, call: RunningCall): () => void {
    const key = keyOf(connection, caller);
    const calls = this.#connections.get(key) ?? new Map<unknown, RunningCall>();
    this.#connections.set(key, calls.set(id, call));
    return () => {
      if (calls.get(id) === call) calls.delete(id);
      if (calls.size === 0 && this.#connections.get(key) === calls) this.#connections.delete(key);
    };
  }

  /** Does nothing when it has ended: the two may cross on their way. */
  cancel(connection: string, caller: Caller, id: unknown): void {
    this.#connections.get(keyOf(connection, caller))?.get(id)?.cancel();
  }

  /** Hands on an answer. Each call numbers what it asks from 0, so that beside others nobody knows whose it is: it is dropped then. */
  answer(connection: string, caller: Caller, message: Message): void {
    const calls = this.#connections.get(keyOf(connection, caller));
    const [only] = calls?.size === 1 ? calls.values() : [];
    only?.take(message);
  }
}

function keyOf(connection: string, { owner }: Caller): string {
  return JSON.stringify([owner, connection]);
}
