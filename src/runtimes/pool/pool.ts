import type { Sandbox } from '../../sandbox.ts';

/** An unused pool shrinks by one at this interval, milliseconds, down to its base. */
const SHRINK_MS = 30_000;
/** Intervals have to end without a request for it to be unused: the one that a request came in is not whole. */
const UNUSED_INTERVALS = 2;
/** Time after a failure until another sandbox is tried, milliseconds. */
const RETRY_MS = 10_000;

/** A sandbox in a pool. */
export interface Pooled extends Sandbox {
  /** Resolves when its user closes it. */
  readonly closing: Promise<void>;
  /** Its interpreter has been started, or never will be. */
  readonly warm: boolean;
  /** Starts it. Of one that nobody has been given; rejects when it is lost, and is closed then. */
  warmUp(): Promise<void>;
}

export interface PoolOptions {
  /** Number kept even when unused. */
  readonly base: number;
  readonly most: number;
  /** Typical time that a taken sandbox is used, milliseconds: none is created meanwhile. */
  readonly busyMs: number;
  /** What waits for nobody is dear: it grows only for who found none, and not for each that takes the last. */
  readonly dear?: boolean;
  /** Who asks once may never do so again: sandboxes are created from the second request on, if it comes before an interval without any. */
  readonly rare?: boolean;
}

/**
 * Sandboxes that wait for one kind of request. Its size follows demand: it grows when taking empties it and
 * shrinks when unused. Sandboxes are created one at a time, after the reply has gone out.
 *
 * While more are wanted than it can make, an interpreter that starts in advance keeps nobody from waiting, and takes more of the CPU
 * than one that starts for its program; and of sessions some never need theirs. So from a miss on they are made without, until the pool is full, and warmed then.
 */
export class Pool {
  readonly #make: (hurried: boolean) => Promise<Pooled>;
  readonly #warmUp: (sandbox: Pooled) => Promise<Pooled>;
  readonly #options: PoolOptions;
  readonly #waiting: Pooled[] = [];
  readonly #shrinking: NodeJS.Timeout;
  #wanted: number;
  /** Intervals that have ended since somebody asked. */
  #quiet = UNUSED_INTERVALS;
  /** Somebody found none since the pool was last full. */
  #missed = false;
  #refill: NodeJS.Timeout | undefined;
  #making: Promise<void> | undefined;
  #closed = false;
  readonly #first = Promise.withResolvers<void>();
  /** Resolves when the first sandbox waits, could not be made or is not wanted. */
  readonly warm = this.#first.promise;

  /** `make` may leave an interpreter for later where it is `hurried`; `warmUp` starts it then. */
  constructor(
    make: (hurried: boolean) => Promise<Pooled>,
    warmUp: (sandbox: Pooled) => Promise<Pooled>,
    options: PoolOptions,
  ) {
    this.#make = make;
    this.#warmUp = warmUp;
    this.#options = options;
    this.#wanted = options.base;
    this.#shrinking = setInterval(() => this.#shrink(), SHRINK_MS).unref();
    if (this.#wanted === 0) this.#first.resolve();
    this.#refillIn(0);
  }

  /** Number of waiting sandboxes. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Takes a waiting sandbox; undefined when there is none. */
  take(): Pooled | undefined {
    const again = this.#quiet < UNUSED_INTERVALS;
    this.#quiet = 0;
    if (this.#options.rare && !again && this.#waiting.length === 0) return undefined;
    const [taken] = this.#waiting.splice(
      Math.max(
        this.#waiting.findIndex(each => each.warm),
        0,
      ),
      1,
    );
    this.#missed ||= !taken;
    const short = this.#options.dear ? !taken : this.#waiting.length === 0;
    if (short) this.#wanted = Math.min(this.#wanted + 1, this.#options.most);
    this.#refillIn(this.#options.busyMs);
    void taken?.closing.then(() => this.#refillNow());
    return taken;
  }

  /** Closes waiting sandboxes and creates no more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#first.resolve();
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
    if (this.#closed || this.#making) return;
    const work = this.#waiting.length < this.#wanted ? this.#makeOne() : this.#warmOne();
    this.#making = work?.then(ok => {
      this.#making = undefined;
      this.#first.resolve();
      this.#refillIn(ok ? 0 : RETRY_MS);
    });
  }

  #makeOne(): Promise<boolean> {
    return this.#bring(() => this.#make(this.#missed));
  }

  /** Of a pool that is full; undefined when all are warm. */
  #warmOne(): Promise<boolean> | undefined {
    this.#missed = false;
    const at = this.#waiting.findIndex(each => !each.warm);
    if (at < 0) return undefined;
    const [sandbox] = this.#waiting.splice(at, 1);
    return this.#bring(() => this.#warmUp(sandbox!));
  }

  async #bring(sandbox: () => Promise<Pooled>): Promise<boolean> {
    try {
      const brought = await sandbox();
      if (this.#closed) await brought.close();
      else this.#add(brought);
      return true;
    } catch {
      // The error is reported to the next caller, whose own sandbox will fail too.
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
    this.#quiet++;
    if (this.#quiet < UNUSED_INTERVALS || this.#wanted <= this.#options.base) return;
    this.#wanted--;
    while (this.#waiting.length > this.#wanted)
      void this.#waiting
        .pop()
        ?.close()
        .catch(() => {});
  }
}
