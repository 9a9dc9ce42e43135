import { cancelled } from '../../errors.ts';

interface Waiting {
  readonly alone: boolean;
  enter(): void;
}

/** Lets the commands of a session run beside each other, and a transaction alone. First come, first served. */
export class Gate {
  #inside = 0;
  #alone = false;
  readonly #waiting: Waiting[] = [];

  /** Waits for its turn; the returned function leaves. @throws {ServiceError} CANCELLED when the signal aborts meanwhile */
  async enter(alone: boolean, signal: AbortSignal): Promise<() => void> {
    if (this.#waiting.length > 0 || !this.#fits(alone)) await this.#wait(alone, signal);
    else this.#take(alone);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inside--;
      this.#alone = false;
      this.#admit();
    };
  }

  #wait(alone: boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(cancelled());
        this.#admit();
      };
      const waiting = {
        alone,
        enter: () => {
          signal.removeEventListener('abort', leave);
          this.#take(alone);
          resolve();
        },
      };
      this.#waiting.push(waiting);
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
    });
  }

  #fits(alone: boolean): boolean {
    return alone ? this.#inside === 0 : !this.#alone;
  }

  #take(alone: boolean): void {
    this.#inside++;
    this.#alone = alone;
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next && this.#fits(next.alone); next = this.#waiting[0]) {
      this.#waiting.shift();
      next.enter();
    }
  }
}
