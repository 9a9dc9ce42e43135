import { invalid, ServiceError } from '../errors.ts';
import type { ExecutionEvent } from '../schemas/events.ts';
import type { Call } from '../service/call.ts';
import type { Service } from '../service/service.ts';

/** Hands an event to the socket; what it returns resolves when there is room for more. */
export type Notify = (event: ExecutionEvent) => void | Promise<void>;

/** What a feed gives, in numbers of the session's events. */
export interface Replay {
  /** The last number given out when the feed began. */
  readonly lastSeq: number;
  /** The first number that is still kept, when some after the one asked for are lost; else null. */
  readonly firstAvailable: number | null;
  /** Lets the events flow, if they don't yet. */
  start(): void;
}

/** A session's events on their way to a connection; nothing flows before `start`. */
export type Following = Replay & { readonly feed: SessionFeed };

/**
 * The events of one session on their way to one connection: in order, each once, at the pace the client reads.
 * It is opened by the first streaming call or by `session.attach`, whichever comes first, and ends with the session
 * or the connection.
 */
export class SessionFeed {
  readonly #service: Service;
  readonly #sessionId: string;
  readonly #call: Call;
  readonly #notify: Notify;
  readonly #ended: (feed: SessionFeed) => void;
  readonly #waiting = new Set<{ seq: number; resolve: () => void }>();
  /** Events after `from` were sent, up to `sent`, or will be. */
  #from = 0;
  #sent = 0;
  /** Sent by an earlier stream, before a replay went further back. */
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
   * Opens the feed after `afterSeq` (null: from now on). On an open feed only what the client was never sent is added. One
   * after the other; a feed whose first opening fails has ended.
   * @throws {ServiceError} SESSION_NOT_FOUND; VALIDATION_ERROR for a number not given out yet; CONFLICT while an earlier replay has not caught up
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
      // A reader that never reads would hold up the session's programs.
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

  /** Resolves when the event of that number has been handed to the socket, or never will be. */
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
      // A stream that was cut off ends here like one that is over: the client sees it in the session's state.
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
