import { invalid, ServiceError } from '../errors.ts';
import type { ExecutionEvent } from '../schemas/events.ts';
import type { Call } from '../service/call.ts';
import type { Service } from '../service/service.ts';

/** Sends an event; resolves when there is room for more. */
export type Notify = (event: ExecutionEvent) => void | Promise<void>;

/** Result of opening a feed, in sequence numbers of the session's events. */
export interface Replay {
  /** The last number when the feed was opened. */
  readonly lastSeq: number;
  /** The first number still kept, when events after the requested one are lost; else null. */
  readonly firstAvailable: number | null;
  /** Starts sending; does nothing when it has started. */
  start(): void;
}

/** An opened feed; nothing is sent before `start`. */
export type Following = Replay & { readonly feed: SessionFeed };

/**
 * Sends one session's events to one connection: in order, each once, at the pace the client reads. Opened by
 * the first streaming call or by `session.attach`; ends with the session or the connection.
 */
export class SessionFeed {
  readonly #service: Service;
  readonly #sessionId: string;
  readonly #call: Call;
  readonly #notify: Notify;
  readonly #ended: (feed: SessionFeed) => void;
  readonly #waiting = new Set<{ seq: number; resolve: () => void }>();
  /** Events after `from` up to `sent` have been sent. */
  #from = 0;
  #sent = 0;
  /** Events sent before a replay went further back; they are not sent again. */
  #skip: { first: number; last: number } | null = null;
  #current: AbortController | null = null;
  #start = () => {};
  #opening: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(
    service: Service,
    sessionId: string,
    call: Call,
    notify: Notify,
    ended: (feed: SessionFeed) => void,
  ) {
    this.#service = service;
    this.#sessionId = sessionId;
    this.#call = call;
    this.#notify = notify;
    this.#ended = ended;
  }

  /**
   * Opens the feed after `afterSeq` (null: from now on). An open feed is extended by events that were never
   * sent. Calls run one after the other; a feed whose first opening fails has ended.
   * @throws {ServiceError} SESSION_NOT_FOUND; VALIDATION_ERROR for a number not given out yet; CONFLICT while
   * an earlier replay has not caught up
   */
  open(afterSeq: number | null): Promise<Replay> {
    const opened = this.#opening.then(() => this.#open(afterSeq));
    this.#opening = opened.catch(() => {
      if (!this.#current) this.#ended(this);
    });
    return opened;
  }

  async #open(afterSeq: number | null): Promise<Replay> {
    const current = new AbortController();
    const call = { ...this.#call, signal: current.signal };
    const stream = await this.#service.sessions.events(this.#sessionId, call, afterSeq);
    const { lastSeq, firstAvailable } = stream;
    const from = afterSeq ?? lastSeq;
    try {
      // Refused, because a reader that never reads would block the session's programs.
      if (afterSeq !== null && afterSeq > lastSeq)
        throw invalid('afterSeq', `is over ${lastSeq}, the last number given out`);
      if (this.#current && from < this.#from) this.#goBack();
      else if (this.#current || this.#closed) {
        current.abort();
        return { lastSeq, firstAvailable, start: () => this.#start() };
      } else this.#sent = from;
    } catch (error) {
      current.abort();
      throw error;
    }
    this.#from = from;
    this.#current = current;
    this.#start = () => {
      this.#start = () => {};
      void this.#pump(stream, current);
    };
    return { lastSeq, firstAvailable, start: () => this.#start() };
  }

  #goBack(): void {
    if (this.#skip) throw new ServiceError('CONFLICT', 'An earlier replay of this session is still going on');
    if (this.#sent > this.#from) this.#skip = { first: this.#from + 1, last: this.#sent };
    this.#current?.abort();
  }

  /** Resolves when the event of that number has been sent, or when the feed has ended. */
  sentUpTo(seq: number): Promise<void> {
    if (seq <= this.#sent || !this.#current) return Promise.resolve();
    return new Promise(resolve => this.#waiting.add({ seq, resolve }));
  }

  close(): void {
    this.#closed = true;
    this.#current?.abort();
    this.#current = null;
    this.#release(Number.POSITIVE_INFINITY);
  }

  async #pump(stream: AsyncIterable<ExecutionEvent>, mine: AbortController): Promise<void> {
    try {
      for await (const event of stream) {
        if (mine.signal.aborted) break;
        await this.#send(event);
      }
    } catch {
      // A broken stream ends the feed as a complete one does; the client sees the session's state.
    }
    if (this.#current !== mine) return;
    this.close();
    this.#ended(this);
  }

  #send(event: ExecutionEvent): void | Promise<void> {
    const { seq } = event.params;
    const skip = this.#skip;
    if (skip && seq >= skip.last) this.#skip = null;
    if (skip && seq >= skip.first && seq <= skip.last) return;
    const room = this.#notify(event);
    this.#sent = Math.max(this.#sent, seq);
    this.#release(this.#sent);
    return room;
  }

  #release(seq: number): void {
    for (const waiter of this.#waiting) {
      if (waiter.seq > seq) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }
}
