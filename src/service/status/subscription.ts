import { LIMITS } from '../../schemas/limits.ts';
import type { StatusEvent, StatusEventName } from '../../schemas/status-events.ts';
import type { StatusMessage } from '../service.ts';

/** An event, what it counts for, and its place among those of its owner. */
export interface Told {
  readonly id: string;
  readonly event: StatusEvent;
  readonly bytes: number;
}

/** What one reader wants to be told. */
export interface Wish {
  readonly names: ReadonlySet<StatusEventName>;
  /** Only of this session. */
  readonly sessionId: string | undefined;
}

/** Events on their way to one reader, the oldest first. A slow one loses the oldest, and is told how many. */
export class Subscription implements AsyncIterable<StatusMessage> {
  readonly wish: Wish;
  #queue: Told[] = [];
  #bytes = 0;
  /** Dropped and not told yet; null: nobody knows how many. */
  #dropped: number | null = 0;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(wish: Wish) {
    this.wish = wish;
  }

  wants({ method, params }: StatusEvent): boolean {
    const { names, sessionId } = this.wish;
    if (!names.has(method)) return false;
    return sessionId === undefined || !('sessionId' in params) || params.sessionId === sessionId;
  }

  add(told: Told): void {
    if (this.#closed || !this.wants(told.event)) return;
    this.#queue.push(told);
    this.#bytes += told.bytes;
    while (this.#queue.length > LIMITS.statusEvents || this.#bytes > LIMITS.statusEventsBytes) this.#drop();
    this.#wake?.();
  }

  /** Counts events that were lost before it was there. */
  missed(count: number | null): void {
    this.#dropped = count === null || this.#dropped === null ? null : this.#dropped + count;
    this.#wake?.();
  }

  close(): void {
    this.#closed = true;
    this.#queue = [];
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<StatusMessage, void> {
    while (!this.#closed) {
      const next = this.#next();
      if (next) yield next;
      else await new Promise<void>(resolve => (this.#wake = resolve));
    }
  }

  #next(): StatusMessage | null {
    const count = this.#dropped;
    if (count !== 0) {
      this.#dropped = 0;
      return { id: null, event: { method: 'events.dropped', params: { count } } };
    }
    const told = this.#queue.shift();
    if (!told) return null;
    this.#bytes -= told.bytes;
    return told;
  }

  #drop(): void {
    this.#bytes -= this.#queue.shift()?.bytes ?? 0;
    if (this.#dropped !== null) this.#dropped++;
  }
}
