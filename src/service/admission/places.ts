import { ServiceError } from '../../errors.ts';

/** Counts what is open at once, of each client and of all. */
export class Places {
  readonly #what: string;
  readonly #most: { readonly perClient: number; readonly total: number };
  readonly #open = new Map<string, number>();
  #all = 0;

  /** `what`: what too many of are refused, in the plural. */
  constructor(what: string, most: { perClient: number; total: number }) {
    this.#what = what;
    this.#most = most;
  }

  /** Takes a place; the returned function gives it back. @throws {ServiceError} QUEUE_FULL */
  enter(client: string): () => void {
    const own = this.#open.get(client) ?? 0;
    if (own >= this.#most.perClient || this.#all >= this.#most.total)
      throw new ServiceError('QUEUE_FULL', `Too many ${this.#what} at once; try again later`);
    this.#open.set(client, own + 1);
    this.#all++;
    return () => {
      this.#all--;
      const rest = (this.#open.get(client) ?? 1) - 1;
      if (rest > 0) this.#open.set(client, rest);
      else this.#open.delete(client);
    };
  }
}
