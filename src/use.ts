import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Without a call for so long the service is at rest, milliseconds. */
const REST_MS = 10_000;
/** After a collection there is none for so many times as long as it took. */
const PAUSE = 100;

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

/**
 * Gives memory back that a service at rest does not need. A collection takes a tenth of a second after a start, but seconds where sessions
 * hold much, and what runs on stands still meanwhile: whoever calls and rests in turns must not have it done over and over.
 */
export class MemoryBack implements InUse {
  readonly #collect: () => void;
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(collect = collectAll) {
    this.#collect = collect;
  }

  begin(): void {
    clearTimeout(this.#timer);
  }

  rest(): void {
    const wait = this.#notBefore - performance.now();
    if (wait > 0) this.#timer = setTimeout(() => this.#give(), wait).unref();
    else this.#give();
  }

  #give(): void {
    const begunAt = performance.now();
    this.#collect();
    const endedAt = performance.now();
    this.#notBefore = endedAt + (endedAt - begunAt) * PAUSE;
  }
}

/** Has V8 collect all that it can. By itself it keeps the room for new objects as large as the busiest moment has made it, 32 MB after a start. */
function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
