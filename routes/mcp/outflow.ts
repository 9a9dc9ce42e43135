/** Bytes on their way, beyond which a program's output waits. */
const MOST_BYTES = 256 * 1024;

/** Counts the bytes that are on their way to one client, so that what is sent while a tool runs waits for its reader. */
export class Outflow {
  #bytes = 0;
  #room = Promise.withResolvers<void>();

  sent(bytes: number): void {
    this.#bytes += bytes;
  }

  /** The client, or the operating system, has taken them. More than was counted as sent is taken for all of it. */
  taken(bytes: number): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
    if (this.#bytes > MOST_BYTES) return;
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    while (this.#bytes > MOST_BYTES) await this.#room.promise;
  }

  /** Nobody reads any more, and nothing has to wait. */
  close(): void {
    this.taken(Number.POSITIVE_INFINITY);
  }
}
