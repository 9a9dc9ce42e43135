/**
 * Bytes of events that all readers together take in one turn of the event loop: what is made of them, JSON for as many
 * sockets, takes some milliseconds.
 */
const TURN_BYTES = 256 * 1024;
/** What an event counts for beside its output, bytes. */
const EVENT_BYTES = 200;

/**
 * Lets readers of events, however many and of whatever log, keep nobody else waiting. A socket takes megabytes before its
 * writer has to wait: readers that go on as long as theirs do would hold up the event loop together.
 */
export class Pace {
  #left = TURN_BYTES;
  #waiting: { readonly bytes: number; readonly resolve: () => void }[] = [];
  #turn: NodeJS.Immediate | undefined;

  /** Counts an event with so many bytes of output. Resolves when it may be read, in the order of the calls; undefined: at once. */
  take(outputBytes: number): Promise<void> | undefined {
    const bytes = outputBytes + EVENT_BYTES;
    this.#turn ??= setImmediate(() => this.#next());
    if (this.#left > 0 && this.#waiting.length === 0) {
      this.#left -= bytes;
      return undefined;
    }
    return new Promise(resolve => this.#waiting.push({ bytes, resolve }));
  }

  #next(): void {
    this.#left = TURN_BYTES;
    let served = 0;
    while (this.#left > 0 && served < this.#waiting.length) {
      const { bytes, resolve } = this.#waiting[served++]!;
      this.#left -= bytes;
      resolve();
    }
    this.#waiting = this.#waiting.slice(served);
    this.#turn = served > 0 ? setImmediate(() => this.#next()) : undefined;
  }
}

/** Of this process. */
export const pace = new Pace();
