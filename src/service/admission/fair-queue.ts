import { cancelled, ServiceError } from '../../errors.ts';
import type { Queue } from './queue.ts';

/** Share of the slots, and of the places to wait, that one client may have. */
const SHARE_OF_ONE = 0.75;
/** With fewer slots than this, one client may have all of them. */
const ENOUGH_TO_SHARE = 4;

/**
 * Runs at most `slots` jobs at once. Waiting clients are served round robin, one job each, so a client that
 * floods the queue waits behind itself. More than `maxWaiting` waiting jobs are refused. One client gets at
 * most three quarters of the slots and of the waiting places, which leaves room for the next.
 */
export class FairQueue implements Queue {
  readonly #slots: number;
  readonly #maxWaiting: number;
  readonly #slotsOfOne: number;
  #running = 0;
  #waiting = 0;
  readonly #runningOf = new Map<string, number>();
  readonly #clients = new Map<string, (() => void)[]>();

  constructor(slots: number, maxWaiting: number) {
    this.#slots = slots;
    this.#slotsOfOne = slots < ENOUGH_TO_SHARE ? slots : Math.floor(slots * SHARE_OF_ONE);
    this.#maxWaiting = maxWaiting;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * Waits for a slot; the function it resolves to gives the slot back. Rejects with CANCELLED when the signal aborts
   * the waiting.
   * @throws {ServiceError} QUEUE_FULL, at once
   */
  enter(client: string, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(cancelled());
    if (this.#running >= this.#slots || !this.#mayRunMore(client)) return this.#wait(client, signal);
    return Promise.resolve(this.#begin(client));
  }

  #mayRunMore(client: string): boolean {
    return (this.#runningOf.get(client) ?? 0) < this.#slotsOfOne;
  }

  /** Takes a slot; the returned function gives it back. */
  #begin(client: string): () => void {
    this.#running++;
    this.#runningOf.set(client, (this.#runningOf.get(client) ?? 0) + 1);
    let left = false;
    return () => {
      if (!left) this.#leave(client);
      left = true;
    };
  }

  #wait(client: string, signal: AbortSignal): Promise<() => void> {
    const own = this.#clients.get(client)?.length ?? 0;
    if (this.#waiting >= this.#maxWaiting || own >= this.#maxWaiting * SHARE_OF_ONE) {
      throw new ServiceError('QUEUE_FULL', `${this.#waiting} runs are waiting already; try again later`);
    }
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        this.#remove(client, go);
        reject(cancelled());
      };
      const go = () => {
        signal.removeEventListener('abort', giveUp);
        resolve(this.#begin(client));
      };
      signal.addEventListener('abort', giveUp, { once: true });
      const line = this.#clients.get(client);
      if (line) line.push(go);
      else this.#clients.set(client, [go]);
      this.#waiting++;
    });
  }

  /** Passes the slot to the next client's first job and moves that client to the end of the line. */
  #leave(left: string): void {
    this.#running--;
    const others = this.#runningOf.get(left)! - 1;
    if (others > 0) this.#runningOf.set(left, others);
    else this.#runningOf.delete(left);
    for (const [client, line] of this.#clients) {
      if (!this.#mayRunMore(client)) continue;
      this.#clients.delete(client);
      const go = line.shift()!;
      if (line.length) this.#clients.set(client, line);
      this.#waiting--;
      return go();
    }
  }

  #remove(client: string, go: () => void): void {
    const line = this.#clients.get(client);
    const at = line?.indexOf(go) ?? -1;
    if (!line || at < 0) return;
    line.splice(at, 1);
    if (line.length === 0) this.#clients.delete(client);
    this.#waiting--;
  }
}
