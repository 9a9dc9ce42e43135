import { LIMITS } from '../schemas/limits.ts';

/** Counts the bytes being sent to all clients of the JSON-RPC door. */
export class AnswerRoom {
  #bytes = 0;

  /** Opens the account of one client. */
  open(): ClientRoom {
    return new ClientRoom(bytes => {
      this.#bytes += bytes;
      return LIMITS.answersBytes.total - this.#bytes;
    });
  }
}

/**
 * Counts the bytes being sent to one client, from building an answer until the operating system has
 * taken it.
 */
export class ClientRoom {
  readonly #count: (bytes: number) => number;
  #bytes = 0;
  #closed = false;

  /** `count` adds bytes to the total of all clients and returns how many more fit. */
  constructor(count: (bytes: number) => number) {
    this.#count = count;
  }

  /** Most bytes of the next answer. An answer sent alone is bounded only by the total. */
  get left(): number {
    const ofAll = this.#count(0);
    return this.#bytes === 0
      ? Math.max(0, ofAll)
      : Math.max(0, Math.min(LIMITS.answersBytes.perConnection - this.#bytes, ofAll));
  }

  /** Counts an answer that was built; the returned function gives its bytes back when it has been sent. */
  take(bytes: number): () => void {
    if (this.#closed) return () => {};
    this.#bytes += bytes;
    this.#count(bytes);
    let given = false;
    return () => {
      if (given || this.#closed) return;
      given = true;
      this.#bytes -= bytes;
      this.#count(-bytes);
    };
  }

  /** Gives back everything: the client is gone. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#count(-this.#bytes);
    this.#bytes = 0;
  }
}
