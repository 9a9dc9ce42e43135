import type { EventName, ExecutionEvent } from '../../schemas/events.ts';
import { jsonBytes } from '../../schemas/json-bytes.ts';
import type { Ledger } from '../admission/ledger.ts';
import type { EventStream } from '../service.ts';
import { pace } from './pace.ts';
import { PackedOutput } from './packed-output.ts';

/** How far a program may run ahead of its slowest live reader, bytes. */
const WINDOW_BYTES = 256 * 1024;
/** Bytes that an event, or a pack of short output, counts for in addition to its content. */
const EVENT_BYTES = 200;
/** Most bytes of output in a pack, and the part of a log's bytes that it may be: packs are dropped as a whole. */
const MOST_PACK_BYTES = 16 * 1024;
const PACK_PART = 1 / 64;
/** Output longer than this is an entry of its own, characters. */
const MOST_PACKED_LENGTH = 4096;
/** Bytes of the newest events that a log keeps after its owner's logs have used up their total. */
const LEAST_BYTES = 64 * 1024;

type Params<N extends EventName> = Extract<ExecutionEvent, { method: N }>['params'];

/** One event, or several outputs in a row. */
interface Entry {
  readonly firstSeq: number;
  lastSeq: number;
  readonly content: ExecutionEvent | PackedOutput;
  /** Bytes of all entries before it, and up to its last event. */
  readonly start: number;
  end: number;
}

/**
 * Events of a session or an execution, numbered from 1 without gaps. The newest `keepBytes` are kept for late
 * and returning readers, fewer when the owner's logs together hold too much; events that a live reader has
 * not read are always kept. Writers wait for live readers, so memory is bounded by `keepBytes`, one window
 * and what is written after a limit was hit.
 */
export class EventLog {
  readonly #keepBytes: number;
  readonly #packBytes: number;
  readonly #share: { readonly ledger: Ledger; readonly owner: string | null } | undefined;
  /** Bytes counted in the ledger for this log. */
  #held = 0;
  #entries: Entry[] = [];
  #lastSeq = 0;
  #bytes = 0;
  #ended = false;
  readonly #readers = new Set<Reader>();
  #waiting: (() => void)[] = [];

  constructor(keepBytes: number, share?: { ledger: Ledger; owner: string | null }) {
    this.#keepBytes = keepBytes;
    this.#packBytes = Math.min(MOST_PACK_BYTES, keepBytes * PACK_PART);
    this.#share = share;
  }

  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The events that are kept, oldest first. */
  events(): ExecutionEvent[] {
    return this.#entries.flatMap(({ content, firstSeq, lastSeq }) =>
      content instanceof PackedOutput
        ? Array.from({ length: lastSeq - firstSeq + 1 }, (_, i) => content.event(i))
        : [content],
    );
  }

  /** Numbers an event and gives it to every reader. Returns its number. */
  append<N extends EventName>(
    method: N,
    params: Omit<Params<N>, 'seq'>,
    contentBytes = lengthOf(params),
  ): number {
    const seq = ++this.#lastSeq;
    const before = this.#bytes;
    if (method === 'execution.output')
      this.#addOutput(seq, params as unknown as Params<'execution.output'>, contentBytes);
    else this.#add(seq, { method, params: { ...params, seq } } as unknown as ExecutionEvent, contentBytes);
    this.#hold(this.#bytes - before);
    this.#forget();
    for (const reader of this.#readers) reader.wake();
    return seq;
  }

  #addOutput(seq: number, params: Omit<Params<'execution.output'>, 'seq'>, contentBytes: number): void {
    if (contentBytes > Math.min(MOST_PACKED_LENGTH, this.#packBytes))
      return this.#add(seq, { method: 'execution.output', params: { ...params, seq } }, contentBytes);
    const last = this.#entries.at(-1);
    if (last && this.#pack(last, seq, params)) return;
    this.#add(seq, new PackedOutput(seq, this.#packBytes), 0);
    this.#pack(this.#entries.at(-1)!, seq, params);
  }

  /** Adds output to an entry that is a pack with room for it. */
  #pack(entry: Entry, seq: number, params: Omit<Params<'execution.output'>, 'seq'>): boolean {
    const { content } = entry;
    if (!(content instanceof PackedOutput) || !content.add(params)) return false;
    entry.lastSeq = seq;
    entry.end = entry.start + EVENT_BYTES + content.cost(content.count);
    this.#bytes = entry.end;
    return true;
  }

  #add(seq: number, content: Entry['content'], contentBytes: number): void {
    const start = this.#bytes;
    this.#bytes += EVENT_BYTES + contentBytes;
    this.#entries.push({ firstSeq: seq, lastSeq: seq, content, start, end: this.#bytes });
  }

  /** Resolves when every live reader is within the window. Undefined when that is so already. */
  ready(): Promise<void> | undefined {
    if (!this.#behind()) return undefined;
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /**
   * Marks the log as complete: its readers finish when they have read what is there. It counts until the last of them has left; where
   * its owner's logs hold too much already, those that are behind are given up.
   */
  end(): void {
    this.#ended = true;
    if (!this.#hasRoom()) this.#giveUp();
    for (const reader of this.#readers) reader.wake();
    this.#release();
    this.#settle();
  }

  #giveUp(): void {
    for (const reader of this.#readers) {
      if (reader.seq >= this.#lastSeq) continue;
      this.#readers.delete(reader);
      reader.wake();
    }
    // A reader may stand still in the middle of an event, and the log with it.
    this.#entries = [];
    this.#hold(-this.#held);
  }

  /** What nobody will read any more counts no more. */
  #settle(): void {
    if (this.#ended && this.#readers.size === 0) this.#hold(-this.#held);
  }

  /** Starts reading after a number (null: after the last one). Counts as live until left or aborted. */
  read(afterSeq: number | null, signal: AbortSignal): EventStream {
    const after = Math.min(afterSeq ?? this.#lastSeq, this.#lastSeq);
    const firstSeq = this.#entries[0]?.firstSeq ?? this.#lastSeq + 1;
    const reader = new Reader(Math.max(after, firstSeq - 1));
    reader.offset = this.#endOf(reader.seq);
    this.#readers.add(reader);
    const leave = () => {
      if (!this.#readers.delete(reader)) return;
      reader.wake();
      this.#release();
      this.#settle();
    };
    signal.addEventListener('abort', leave, { once: true });
    if (signal.aborted) leave();
    return {
      firstAvailable: after + 1 < firstSeq ? firstSeq : null,
      lastSeq: this.#lastSeq,
      [Symbol.asyncIterator]: () => this.#iterate(reader, leave),
    };
  }

  async *#iterate(reader: Reader, leave: () => void): AsyncGenerator<ExecutionEvent> {
    try {
      while (this.#readers.has(reader)) {
        const event = this.#eventAfter(reader.seq);
        if (event) {
          const turn = pace.take(this.#endOf(event.params.seq) - reader.offset);
          if (turn) await turn;
          yield event;
          reader.seq = event.params.seq;
          reader.offset = this.#endOf(reader.seq);
          this.#release();
        } else if (this.#ended) return;
        else await reader.more();
      }
    } finally {
      leave();
    }
  }

  #eventAfter(seq: number): ExecutionEvent | undefined {
    const entry = this.#entryOf(seq + 1);
    if (!entry) return undefined;
    const { content, firstSeq } = entry;
    return content instanceof PackedOutput ? content.event(seq + 1 - firstSeq) : content;
  }

  /** The entry with the event of that number, by bisection. */
  #entryOf(seq: number): Entry | undefined {
    let [low, high] = [0, this.#entries.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#entries[middle]!.lastSeq < seq) low = middle + 1;
      else high = middle;
    }
    const found = this.#entries[low];
    return found && found.firstSeq <= seq ? found : undefined;
  }

  /** Bytes of all events up to `seq`, including events that are no longer kept. */
  #endOf(seq: number): number {
    const entry = this.#entryOf(seq);
    if (!entry) return this.#entries.find(({ firstSeq }) => firstSeq > seq)?.start ?? this.#bytes;
    const { content, firstSeq, start, end } = entry;
    return content instanceof PackedOutput ? start + EVENT_BYTES + content.cost(seq + 1 - firstSeq) : end;
  }

  #behind(): boolean {
    for (const reader of this.#readers) if (this.#bytes - reader.offset > WINDOW_BYTES) return true;
    return false;
  }

  #release(): void {
    if (this.#waiting.length === 0 || this.#behind()) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** Drops the oldest events beyond what is kept, in batches so that the cost per event stays constant. */
  #forget(): void {
    let unread = this.#lastSeq;
    for (const reader of this.#readers) unread = Math.min(unread, reader.seq);
    const keep = this.#mayKeep();
    const cut = this.#entries.findIndex(({ end, lastSeq }) => this.#bytes - end <= keep || lastSeq > unread);
    if (cut <= this.#entries.length / 4 && cut <= 256) return;
    const gone = this.#entries.splice(0, cut);
    this.#hold(-gone.reduce((sum, { start, end }) => sum + end - start, 0));
  }

  #mayKeep(): number {
    return this.#hasRoom() ? this.#keepBytes : Math.min(this.#keepBytes, LEAST_BYTES);
  }

  #hasRoom(): boolean {
    const { ledger, owner = null } = this.#share ?? {};
    return ledger?.fits(owner, 0) ?? true;
  }

  #hold(bytes: number): void {
    if (!this.#share) return;
    this.#held += bytes;
    this.#share.ledger.add(this.#share.owner, bytes);
  }
}

/** A reader's position, and how it is woken. */
class Reader {
  seq: number;
  offset = 0;
  #wake: (() => void) | undefined;
  #woken = false;

  constructor(seq: number) {
    this.seq = seq;
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  async more(): Promise<void> {
    if (!this.#woken) await new Promise<void>(resolve => (this.#wake = resolve));
    this.#woken = false;
    this.#wake = undefined;
  }
}

/** Bytes of an event's text as JSON, which is how it is sent and stored. Results are passed with their size instead. */
function lengthOf(params: object): number {
  const { text, data } = params as { readonly text?: string; readonly data?: string };
  return text === undefined ? (data ?? '').length : jsonBytes(text);
}
