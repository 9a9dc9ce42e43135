/** Without a call for so long the service is at rest, milliseconds. */
const REST_MS = 10_000;

/** What is done only while the service is used. */
export interface InUse {
  begin?(): void;
  /** Nothing has been asked for a while. */
  rest(): void;
}

/** Whether the service is used, told by its calls. A service at rest wakes its machine for nothing and holds no memory that it can give back. */
export class Use {
  readonly #restMs: number;
  readonly #parts: InUse[] = [];
  #calls = 0;
  #lastAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(restMs = REST_MS) {
    this.#restMs = restMs;
  }

  add(part: InUse): void {
    this.#parts.push(part);
    if (this.#timer) part.begin?.();
  }

  /** A call begins; {@link end} ends it. */
  begin(): void {
    this.#calls++;
    if (this.#timer) return;
    for (const part of this.#parts) part.begin?.();
    this.#lookIn(this.#restMs);
  }

  end(): void {
    this.#calls--;
    this.#lastAt = performance.now();
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), ms).unref();
  }

  #look(): void {
    const left = this.#calls > 0 ? this.#restMs : this.#lastAt + this.#restMs - performance.now();
    if (left > 0) return this.#lookIn(left);
    this.#timer = undefined;
    for (const part of this.#parts) part.rest();
  }
}
