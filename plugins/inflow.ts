import { LIMITS } from '../src/schemas/limits.ts';

/** Smaller ones are not counted, bytes. */
const SMALL_BYTES = 64 * 1024;
/** Time limit for receiving a message, milliseconds: enough for 32 MiB over a slow line. */
const MESSAGE_MS = 300_000;

/** Counts bytes received over sockets and not answered yet. */
export class Inflow {
  readonly #most: number;
  #bytes = 0;

  constructor(most: number = LIMITS.inflowBytes) {
    this.#most = most;
  }

  /** Opens one socket's account. `refuse` is called once, when its messages don't fit or take too long. */
  open(refuse: (why: string) => void): SocketInflow {
    return new SocketInflow(change => {
      this.#bytes += change;
      return this.#bytes <= this.#most;
    }, refuse);
  }
}

export class SocketInflow {
  readonly #count: (change: number) => boolean;
  readonly #refuse: (why: string) => void;
  #unfinished = 0;
  #unanswered = 0;
  #counted = 0;
  #closed = false;
  #deadline: NodeJS.Timeout | undefined;

  constructor(count: (change: number) => boolean, refuse: (why: string) => void) {
    this.#count = count;
    this.#refuse = refuse;
  }

  /** Bytes of messages that have no answer yet. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Counts received bytes. */
  arrived(bytes: number): void {
    this.#unfinished += bytes;
    if (this.#unfinished > SMALL_BYTES)
      this.#deadline ??= setTimeout(() => this.#end('A message took too long to come'), MESSAGE_MS).unref();
    this.#recount();
  }

  /** Marks a message of this size as complete; the returned function marks it as answered. */
  whole(bytes: number): () => void {
    this.#unfinished = 0;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
    this.#unanswered += bytes;
    this.#recount();
    return () => {
      this.#unanswered -= bytes;
      this.#recount();
    };
  }

  close(): void {
    clearTimeout(this.#deadline);
    this.#closed = true;
    this.#count(-this.#counted);
    this.#counted = 0;
  }

  #recount(): void {
    if (this.#closed) return;
    const now = Math.max(0, this.#unfinished + this.#unanswered - SMALL_BYTES);
    const change = now - this.#counted;
    if (change === 0) return;
    this.#counted = now;
    if (!this.#count(change) && change > 0) this.#end('Too much is on its way; try again later');
  }

  #end(why: string): void {
    if (this.#closed) return;
    this.close();
    this.#refuse(why);
  }
}
