import { FileRefused, type SandboxLost } from '../sandbox.ts';
import { decodeNumber } from '../wire/frames.ts';
import {
  DATA_FRAME_BYTES,
  decodeFailed,
  FromAgent,
  STREAM_FRAME_COST,
  STREAM_WINDOW_BYTES,
  ToAgent,
} from '../wire/messages.ts';
import { fileRefused } from './file-refused.ts';
import type { ChannelListener, Link } from './link.ts';
import { Ring } from './ring.ts';

/** What was consumed is granted again in such steps. */
const GRANT_BYTES = STREAM_WINDOW_BYTES / 4;
/** Most bytes of a piece that is read: while it is used, the agent has as much room again. */
const PIECE_BYTES = STREAM_WINDOW_BYTES / 2;

/** What opens a stream, and how what the agent tells of it is read. */
export interface StreamKind<Opened, Ended> {
  readonly kind: number;
  readonly payload: Uint8Array;
  /** @throws {Error} it is not that */
  readonly opened: (payload: Uint8Array) => Opened;
  readonly ended: (payload: Uint8Array) => Ended;
}

/**
 * One stream of the agent's over a channel, whatever its kind: bytes in both directions, under a window each. A request opens it; who
 * opened it reads it to its end or resets it. What fails, fails both directions.
 */
export class HostStream<Opened = void, Ended = void> implements ChannelListener {
  /** What its kind told when it opened. @throws {FileRefused | SandboxLost} */
  readonly opened: Promise<Opened>;
  /** What its kind told at the agent's end, after all its bytes. */
  readonly ended: Promise<Ended>;
  readonly #link: Link;
  readonly #channel: number;
  readonly #kind: StreamKind<Opened, Ended>;
  readonly #opened = Promise.withResolvers<Opened>();
  readonly #ended = Promise.withResolvers<Ended>();
  /** Received and not consumed yet. */
  readonly #received = new Ring();
  /** What the frames of that cost beside it. */
  #frameCosts = 0;
  #wake: (() => void) | undefined;
  /** Received and not granted again, costs of frames included. */
  #outstanding = 0;
  #consumed = 0;
  /** What may still be sent. */
  #room = STREAM_WINDOW_BYTES;
  #roomWake: (() => void) | undefined;
  #isOpen = false;
  #over: Error | true | undefined;

  /** Opens it by a request of its kind. */
  constructor(link: Link, kind: StreamKind<Opened, Ended>) {
    this.#link = link;
    this.#kind = kind;
    this.opened = this.#opened.promise;
    this.ended = this.#ended.promise;
    for (const promise of [this.opened, this.ended]) promise.catch(() => {});
    this.#channel = link.open(this);
    link.send(kind.kind, this.#channel, kind.payload);
  }

  /** Another request on its channel. */
  ask(kind: number, payload: Uint8Array): void {
    if (!this.#over) this.#link.send(kind, this.#channel, payload);
  }

  /** Sends bytes; resolves when they have left. Not to be called before the last call has resolved. @throws {FileRefused | SandboxLost} */
  async send(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.byteLength; ) {
      this.#check();
      const most = Math.min(this.#room - STREAM_FRAME_COST, DATA_FRAME_BYTES);
      if (most <= 0) {
        await new Promise<void>(resolve => (this.#roomWake = resolve));
        continue;
      }
      const part = data.subarray(at, at + most);
      this.#room -= part.byteLength + STREAM_FRAME_COST;
      at += part.byteLength;
      await this.#link.sendAsIs(ToAgent.streamData, this.#channel, part);
    }
    this.#check();
  }

  /** No more bytes are sent; the agent answers by its own end. */
  sendEnd(): void {
    if (!this.#over) this.#link.send(ToAgent.streamEnd, this.#channel);
  }

  /**
   * Pieces as they come, until so many bytes have; without a number until the agent's end. Each is its reader's until the next is asked
   * for: the memory is used again.
   */
  async *receive(bytes = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array, void> {
    for (let left = bytes; left > 0; ) {
      this.#check();
      if (this.#received.length === 0) {
        if (this.#over === true) return;
        await new Promise<void>(resolve => (this.#wake = resolve));
        continue;
      }
      if (this.#received.length > left) throw new Error('more bytes than were asked for');
      const piece = this.#received.peek(PIECE_BYTES);
      left -= piece.byteLength;
      yield piece;
      this.#check();
      this.#consume(piece.byteLength);
    }
  }

  /** Gives it up; what is not finished is undone. Idempotent. */
  reset(): void {
    if (this.#over) return;
    this.#link.send(ToAgent.streamReset, this.#channel);
    this.#fail(new FileRefused('The transfer was given up'));
  }

  onMessage(kind: number, payload: Uint8Array, rest: number): void {
    if (!this.#isOpen) return this.#onAnswer(kind, payload);
    switch (kind) {
      case FromAgent.streamData:
        return this.#take(payload, rest);
      case FromAgent.streamWindow:
        return this.#widen(decodeNumber(payload));
      case FromAgent.streamEnd:
        return this.#end(payload);
      case FromAgent.streamReset:
        return this.#fail(fileRefused(decodeFailed(payload)));
      default:
        throw new Error(`kind ${kind} on a stream`);
    }
  }

  onLost(reason: SandboxLost): void {
    this.#fail(reason);
  }

  #onAnswer(kind: number, payload: Uint8Array): void {
    if (kind === FromAgent.failed) return this.#fail(fileRefused(decodeFailed(payload)));
    if (kind !== FromAgent.streamOpened) throw new Error(`kind ${kind} on a stream that is not open`);
    this.#isOpen = true;
    this.#opened.resolve(this.#kind.opened(payload));
  }

  #take(piece: Uint8Array, rest: number): void {
    const cost = rest === 0 ? STREAM_FRAME_COST : 0;
    this.#outstanding += piece.byteLength + cost;
    if (this.#outstanding > STREAM_WINDOW_BYTES) throw new Error('more of a stream than was granted');
    this.#frameCosts += cost;
    if (this.#over) return;
    this.#received.push(piece);
    this.#wake?.();
  }

  /** With the bytes goes what their frames cost, by and large, and all of it with the last. */
  #consume(bytes: number): void {
    const costs = Math.floor((this.#frameCosts * bytes) / this.#received.length);
    this.#received.drop(bytes);
    this.#frameCosts -= costs;
    this.#grant(bytes + costs);
  }

  #grant(bytes: number): void {
    this.#consumed += bytes;
    if (this.#over || this.#consumed < GRANT_BYTES) return;
    this.#link.sendNumber(ToAgent.streamWindow, this.#channel, this.#consumed);
    this.#outstanding -= this.#consumed;
    this.#consumed = 0;
  }

  #widen(bytes: number): void {
    this.#room += bytes;
    if (this.#room > STREAM_WINDOW_BYTES) throw new Error('more of a stream taken than was sent');
    this.#roomWake?.();
  }

  #end(payload: Uint8Array): void {
    this.#ended.resolve(this.#kind.ended(payload));
    this.#close(true);
  }

  #fail(reason: Error): void {
    this.#opened.reject(reason);
    this.#ended.reject(reason);
    this.#close(reason);
  }

  #close(over: Error | true): void {
    if (this.#over) return;
    this.#over = over;
    this.#link.close(this.#channel);
    this.#wake?.();
    this.#roomWake?.();
  }

  #check(): void {
    if (this.#over instanceof Error) throw this.#over;
  }
}
