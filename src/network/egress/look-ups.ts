export type LookUp = (name: string) => Promise<readonly string[]>;

/** Of one network at once: all share the threads that wait for name servers (LOOK_UPS in egress-process.ts). */
const AT_ONCE = 8;
/** That wait for one of them: as many as there are connections. */
const MAX_WAITING = 128;

/** The look-ups of one network, a few at once and in their order: slow name servers hold up their own network's alone. */
export class LookUps {
  readonly #lookUp: LookUp;
  #running = 0;
  #closed = false;
  readonly #waiting: (() => void)[] = [];

  constructor(lookUp: LookUp) {
    this.#lookUp = lookUp;
  }

  async of(name: string): Promise<readonly string[]> {
    if (this.#running < AT_ONCE) this.#running++;
    else if (this.#waiting.length >= MAX_WAITING) throw new Error('too many names are looked up at once');
    else await new Promise<void>(resolve => this.#waiting.push(resolve));
    try {
      if (this.#closed) throw new Error('its network has ended');
      return await this.#lookUp(name);
    } finally {
      // The place of one that is over is the next one's.
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }

  /** What waits begins no more. */
  close(): void {
    this.#closed = true;
  }
}
