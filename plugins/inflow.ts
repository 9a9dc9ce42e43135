const MB = 1024 * 1024;
/** What is no larger than this is not counted. */
const SMALL_BYTES = 64 * 1024;
/** What larger messages of all sockets may take together, bytes: those that have not come to their end, and those that wait for an answer. */
const MOST_BYTES = 512 * MB;
/** How long a message may take to come: 32 MiB over a slow line, not for ever. */
const MESSAGE_MS = 300_000;

/** Counts what comes in over sockets and is not done with. */
export class Inflow {
  #bytes = 0;

  /** One socket's part; `refuse` is called, once, when it brings more than there is room for or takes too long. */
  open(refuse: (why: string) => void): SocketInflow {
    return new SocketInflow(change => {
      this.#bytes += change;
      return this.#bytes <= MOST_BYTES;
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

  /** Bytes came, of whatever message. */
  arrived(bytes: number): void {
    this.#unfinished += bytes;
    if (this.#unfinished > SMALL_BYTES)
      this.#deadline ??= setTimeout(() => this.#end('A message took too long to come'), MESSAGE_MS).unref();
    this.#recount();
  }

  /** A message of so many bytes is whole; what it returns says that it was answered. */
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
