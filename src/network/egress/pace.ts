import { setTimeout as sleep } from 'node:timers/promises';

/** So many a second, some of them at once (a token bucket). Waits are in the order asked. */
export class Pace {
  readonly #perMs: number;
  readonly #burst: number;
  #left: number;
  #at = performance.now();

  constructor({ perSecond, burst }: { perSecond: number; burst: number }) {
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#left = burst;
  }

  /** Resolves when so many may pass; undefined: they may at once. */
  take(count: number): Promise<void> | undefined {
    this.#refill();
    this.#left -= count;
    return this.#left >= 0 ? undefined : sleep(-this.#left / this.#perMs);
  }

  /** Takes one that may pass at once; false where none may. */
  takeOne(): boolean {
    this.#refill();
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  #refill(): void {
    const now = performance.now();
    this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
