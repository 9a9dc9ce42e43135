/** What answers on their way may take, characters: to one client, and to all. */
const MOST_TO_ONE = 128 * 1024 * 1024;
const MOST_TO_ALL = 512 * 1024 * 1024;

/** Counts what is on its way to all clients of the JSON-RPC door. */
export class AnswerRoom {
  #chars = 0;

  /** A client's part of it. */
  open(): ClientRoom {
    return new ClientRoom(chars => {
      this.#chars += chars;
      return MOST_TO_ALL - this.#chars;
    });
  }
}

/** Counts what is on its way to one client, from when it is built until the system has taken it. */
export class ClientRoom {
  readonly #count: (chars: number) => number;
  #chars = 0;
  #closed = false;

  /** `count` adds to what all clients have; it returns what there is room for after that. */
  constructor(count: (chars: number) => number) {
    this.#count = count;
  }

  /** Characters that an answer may have. The only one on its way may have as many as a single answer can. */
  get left(): number {
    const ofAll = this.#count(0);
    return this.#chars === 0 ? Math.max(0, ofAll) : Math.max(0, Math.min(MOST_TO_ONE - this.#chars, ofAll));
  }

  /** What was built; the function that is returned says that it is not ours to hold any more. */
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

  /** The client is gone, and so is all that was on its way. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#count(-this.#chars);
    this.#chars = 0;
  }
}
