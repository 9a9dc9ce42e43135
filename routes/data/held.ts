/** Bytes that all connections hold together. */
export class Held {
  readonly #most: number;
  #bytes = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get isFull(): boolean {
    return this.#bytes > this.#most;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
