import type { Sandbox } from '../../sandbox.ts';

/** A pool that nobody takes from shrinks by one this often, down to its base. */
const SHRINK_MS = 30_000;
/** After this long a failure to make one is forgotten. */
const RETRY_MS = 10_000;

/** What waits in a pool. */
export interface Pooled extends Sandbox {
  /** Resolves when whoever took it is done with it. */
  readonly closing: Promise<void>;
}

export interface PoolOptions {
  /** Kept even when nobody has asked for a while. */
  readonly base: number;
  readonly most: number;
  /** What one is taken for lasts about this long, milliseconds: nothing is made meanwhile. */
  readonly busyMs: number;
}

/**
 * Sandboxes that wait for one kind of request. It holds as many as were lately wanted at once: a taking that empties it
 * makes it larger, quiet makes it smaller. One at a time is made, and never in the way of a reply.
 */
export class Pool {
  readonly #make: () => Promise<Pooled>;
  readonly #options: PoolOptions;
  readonly #waiting: Pooled[] = [];
  readonly #shrinking: NodeJS.Timeout;
  #wanted: number;
  #takenLately = false;
  #refill: NodeJS.Timeout | undefined;
  #making: Promise<void> | undefined;
  #closed = false;

  constructor(make: () => Promise<Pooled>, options: PoolOptions) {
    this.#make = make;
    this.#options = options;
    this.#wanted = options.base;
    this.#shrinking = setInterval(() => this.#shrink(), SHRINK_MS).unref();
    this.#refillIn(0);
  }

  /** How many wait now. */
  get count(): number {
    return this.#waiting.length;
  }

  /** One that waits, or undefined. */
  take(): Pooled | undefined {
    this.#takenLately = true;
    const taken = this.#waiting.shift();
    if (this.#waiting.length === 0) this.#wanted = Math.min(this.#wanted + 1, this.#options.most);
    this.#refillIn(this.#options.busyMs);
    void taken?.closing.then(() => this.#refillNow());
    return taken;
  }

  /** Closes what waits; nothing is made any more. */
  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#shrinking);
    clearTimeout(this.#refill);
    await this.#making;
    await Promise.allSettled(this.#waiting.splice(0).map(sandbox => sandbox.close()));
  }

  #refillIn(ms: number): void {
    if (this.#closed || this.#refill || this.#making) return;
    this.#refill = setTimeout(() => this.#refillNow(), ms).unref();
  }

  #refillNow(): void {
    clearTimeout(this.#refill);
    this.#refill = undefined;
    if (this.#closed || this.#making || this.#waiting.length >= this.#wanted) return;
    this.#making = this.#makeOne().then(ok => {
      this.#making = undefined;
      this.#refillIn(ok ? 0 : RETRY_MS);
    });
  }

  async #makeOne(): Promise<boolean> {
    try {
      const sandbox = await this.#make();
      if (this.#closed) await sandbox.close();
      else this.#add(sandbox);
      return true;
    } catch {
      // Whoever asks is told why by the sandbox that is made for them then.
      return false;
    }
  }

  #add(sandbox: Pooled): void {
    this.#waiting.push(sandbox);
    void sandbox.lost.then(() => {
      const at = this.#waiting.indexOf(sandbox);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      this.#refillIn(RETRY_MS);
    });
  }

  #shrink(): void {
    const quiet = !this.#takenLately;
    this.#takenLately = false;
    if (!quiet || this.#wanted <= this.#options.base) return;
    this.#wanted--;
    while (this.#waiting.length > this.#wanted)
      void this.#waiting
        .pop()
        ?.close()
        .catch(() => {});
  }
}
