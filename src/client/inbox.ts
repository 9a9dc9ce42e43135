import { Unread } from './unread.ts';
import type { EventsByType } from './wire.ts';

/** Some of what a run told is lost: the service keeps only so much for those that come back. */
export interface EventsLost {
  readonly type: 'lost';
  /** How many events, of this run or of others of its session. */
  readonly count: number;
}

/** What a run tells, by its type; the fields are those of the notification. */
export type RunEvent =
  | { [T in keyof EventsByType]: { readonly type: T } & Readonly<EventsByType[T]> }[keyof EventsByType]
  | EventsLost;

/**
 * What came of one run and was not taken yet, for one reader. All that comes is held until it is read: as much as the service lets
 * a program print.
 */
export class Inbox implements AsyncIterable<RunEvent> {
  /** Known from the first event, or from the answer. */
  executionId: string | undefined;
  readonly #isRead: boolean;
  readonly #beginning = Promise.withResolvers<void>();
  readonly #ending = Promise.withResolvers<void>();
  readonly #unread = new Unread<RunEvent>();
  #hasEnded = false;

  /** @param isRead whether anybody reads events; else they are not kept */
  constructor(isRead: boolean) {
    this.#isRead = isRead;
    // Who does not ask how it ended needs no word of it.
    this.ended.catch(() => {});
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Resolves when the run has begun, or can't be followed. */
  get begun(): Promise<void> {
    return this.#beginning.promise;
  }

  /** Resolves when the run has ended; rejects where that can't be followed any more. */
  get ended(): Promise<void> {
    return this.#ending.promise;
  }

  push(event: RunEvent): void {
    if (this.#hasEnded) return;
    this.#beginning.resolve();
    if (event.type !== 'lost') this.executionId = event.executionId;
    if (this.#isRead) this.#unread.push([event]);
    if (event.type === 'completed') this.end();
  }

  /** @param error what keeps it from being followed; events that came before are still read */
  end(error?: unknown): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#unread.end(error === undefined ? {} : { error });
    this.#beginning.resolve();
    if (error === undefined) this.#ending.resolve();
    else this.#ending.reject(error);
  }

  [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    return this.#unread[Symbol.asyncIterator]();
  }
}
