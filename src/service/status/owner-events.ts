import { randomBytes } from 'node:crypto';
import { LIMITS } from '../../schemas/limits.ts';
import type { StatusEvent } from '../../schemas/status-events.ts';
import { Subscription, type Told, type Wish } from './subscription.ts';

/** How long events are kept for readers that come back, after the last of them has left, milliseconds. */
const KEPT_MS = 60_000;
/** Bytes of an event but for its texts of any length. */
const EVENT_BYTES = 300;

/** Events of one owner: numbered, given to who reads them, and kept for a while for who comes back. */
export class OwnerEvents {
  readonly #series = randomBytes(6).toString('hex');
  #kept: Told[] = [];
  #keptBytes = 0;
  #last = 0;
  readonly #readers = new Set<Subscription>();
  #leftAt = 0;

  /** Nobody reads, and nobody has for some time. */
  get isOver(): boolean {
    return this.#readers.size === 0 && performance.now() - this.#leftAt > KEPT_MS;
  }

  get readers(): ReadonlySet<Subscription> {
    return this.#readers;
  }

  add(event: StatusEvent): void {
    const told = { id: `${this.#series}-${++this.#last}`, event, bytes: bytesOf(event) };
    this.#kept.push(told);
    this.#keptBytes += told.bytes;
    while (this.#kept.length > LIMITS.statusEvents || this.#keptBytes > LIMITS.statusEventsBytes)
      this.#keptBytes -= this.#kept.shift()?.bytes ?? 0;
    for (const reader of this.#readers) reader.add(told);
  }

  /** From now on, or from behind an id on. */
  subscribe(wish: Wish, after: string | undefined, signal: AbortSignal): Subscription {
    const reader = new Subscription(wish);
    if (after !== undefined) this.#catchUp(reader, after);
    this.#readers.add(reader);
    const leave = () => {
      this.#readers.delete(reader);
      this.#leftAt = performance.now();
      reader.close();
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    return reader;
  }

  #catchUp(reader: Subscription, after: string): void {
    const [series, number] = after.split('-');
    const last = Number(number);
    if (series !== this.#series || !(last <= this.#last)) return reader.missed(null);
    const missed = this.#last - this.#kept.length - last;
    if (missed > 0) reader.missed(missed);
    for (const told of this.#kept.slice(Math.max(0, -missed))) reader.add(told);
  }
}

function bytesOf({ params }: StatusEvent): number {
  let bytes = EVENT_BYTES;
  for (const value of Object.values(params)) if (typeof value === 'string') bytes += 2 * value.length;
  return bytes;
}
