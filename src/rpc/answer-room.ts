/** Most characters of answers being sent: to one client, and to all clients. */
const MOST_TO_ONE = 128 * 1024 * 1024;
const MOST_TO_ALL = 512 * 1024 * 1024;

/** Counts the characters being sent to all clients of the JSON-RPC door. */
export class AnswerRoom {
  #chars = 0;

  /** Opens the account of one client. */
  open(): ClientRoom {
    return new ClientRoom(chars => {
      this.#chars += chars;
      return MOST_TO_ALL - this.#chars;
    });
  }
}

/**
 * Counts the characters being sent to one client, from building an answer until the operating system has
 * taken it.
 */
export class ClientRoom {
  readonly #count: (chars: number) => number;
  #chars = 0;
  #closed = false;

  /** `count` adds characters to the total of all clients and returns how many more fit. */
  constructor(count: (chars: number) => number) {
    this.#count = count;
  }

  /** Most characters of the next answer. An answer sent alone is bounded only by the total. */
  get left(): number {
    const ofAll = this.#count(0);
    return this.#chars === 0 ? Math.max(0, ofAll) : Math.max(0, Math.min(MOST_TO_ONE - this.#chars, ofAll));
  }

  /** Counts an answer that was built; the returned function gives its characters back when it has been sent. */
  take(chars: number): () => void {
    if (this.#closed) return () => {};
    this.#chars += chars;
    this.#count(chars);
    let given = false;
    return () => {
      if (given || this.#closed) return;
      given = true;
      this.#chars -= chars;
      this.#count(-chars);
    };
  }

  /** Gives back everything: the client is gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#count(-this.#chars);
    this.#chars = 0;
  }
}
