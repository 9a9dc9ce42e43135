import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { InUse } from './use.ts';

/** After a collection there is none for so many times as long as it took. */
const PAUSE = 100;

/**
 * Gives memory back that a service at rest does not need. A collection takes a tenth of a second after a start, but seconds where sessions
 * hold much, and what runs on stands still meanwhile: whoever calls and rests in turns must not have it done over and over.
 */
export class MemoryBack implements InUse {
  readonly #collect: () => void;
  #notBefore = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(collect: () => void) {
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
export function collectAll(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: object) => void;
  setFlagsFromString('--no-expose-gc');
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
