import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { boundMessages } from '../../plugins/bound-messages.ts';
import type { Inflow, SocketInflow } from '../../plugins/inflow.ts';
import { SocketOutlet } from '../../plugins/socket-outlet.ts';
import { ServiceError } from '../../src/errors.ts';
import type { CallLog } from '../../src/service/call.ts';
import { guarded } from '../../src/wire/guarded.ts';
import type { Client, Envelope } from './envelope.ts';
import { type Framing, json, V1, v1 } from './framing.ts';
import type { Kernel } from './kernel.ts';
import { BadMessage, bytesOf } from './message.ts';

/** Most bytes of a message, and in memory of those of a socket that are not answered. */
const MOST_BYTES = 4 * 1024 * 1024;
const MOST_UNANSWERED_BYTES = 16 * 1024 * 1024;
/** Messages of a socket that are not answered; the kernel counts those that wait in it, too. */
const MOST_UNANSWERED = 1000;
/** A client that reads nothing holds up its kernel's output for so long, and is then cut off, milliseconds. */
const STALLED_MS = 15_000;
/** Most bytes of a close's reason (RFC 6455, 5.5). */
const REASON_BYTES = 123;

/** Joins a WebSocket to a kernel until it closes. */
export class KernelSocket implements Client {
  readonly #socket: WebSocket;
  readonly #stream: Socket;
  readonly #outlet: SocketOutlet;
  readonly #framing: Framing;
  readonly #kernel: Kernel;
  readonly #inflow: SocketInflow;
  readonly #admit: () => void;
  readonly #log: CallLog;
  readonly #gone = new AbortController();
  #unanswered = 0;
  /** What is sent waits for what follows in the same turn of the event loop. */
  #corked = false;
  /** When what came so far has been counted against the rate. */
  #admitted: Promise<boolean> = Promise.resolve(true);

  constructor(
    socket: WebSocket,
    kernel: Kernel,
    parts: {
      readonly stream: Socket;
      readonly inflow: Inflow;
      /** Counts a message. @throws {ServiceError} RATE_LIMITED */
      readonly admit: () => void;
      readonly log: CallLog;
    },
  ) {
    this.#socket = socket;
    this.#stream = parts.stream;
    this.#outlet = new SocketOutlet(socket);
    this.#framing = socket.protocol === V1 ? v1 : json;
    this.#kernel = kernel;
    this.#admit = parts.admit;
    this.#log = parts.log;
    const failed = (error: unknown) => this.#failed(error);
    this.#inflow = boundMessages(socket, parts.stream, parts.inflow, failed);
    const onMessage = (data: Buffer, isBinary: boolean) => this.#receive(data, isBinary);
    socket.on('message', guarded(onMessage, failed));
    socket.on('close', () => this.#gone.abort());
    if (!kernel.join(this)) this.close(1013, 'The kernel has as many connections as it may');
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async send(envelope: Envelope): Promise<void> {
    this.#cork();
    const room = this.#outlet.send(envelope.in(this.#framing), () => {});
    if (!room) return;
    const late = setTimeout(() => this.#socket.terminate(), STALLED_MS);
    try {
      await room;
    } finally {
      clearTimeout(late);
    }
  }

  /** A cell has five messages or more, most of them in pairs: each pair leaves in one write, and wakes its reader once. */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#stream.cork();
    process.nextTick(() => {
      this.#corked = false;
      this.#stream.uncork();
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(
      code,
      Buffer.from(reason)
        .subarray(0, REASON_BYTES)
        .toString('utf8')
        .replace(/\ufffd$/, ''),
    );
  }

  #receive(data: Buffer, isBinary: boolean): void {
    // What comes behind a message that was refused is not looked at.
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (data.length > MOST_BYTES) return this.close(1009, `A message is over ${MOST_BYTES} bytes`);
    const message = this.#framing.decode(data, isBinary);
    const bytes = bytesOf(message);
    const answered = this.#inflow.whole(bytes);
    if (++this.#unanswered > MOST_UNANSWERED || this.#inflow.unanswered > MOST_UNANSWERED_BYTES)
      throw new BadMessage('too much waits to be answered');
    this.#admitted = this.#admitted.then(() => this.#waitToBeAdmitted());
    this.#admitted
      .then(admitted => (admitted ? this.#kernel.receive(message, bytes, this) : undefined))
      .catch(error => this.#failed(error))
      .finally(() => {
        this.#unanswered--;
        answered();
      });
  }

  /**
   * A notebook whose cells are all sent at once is slowed down, and not cut off. False of what has not been counted when its client
   * leaves: else a client would evade the rate by leaving.
   */
  async #waitToBeAdmitted(): Promise<boolean> {
    while (!this.gone.aborted) {
      try {
        this.#admit();
        return true;
      } catch (error) {
        if (!(error instanceof ServiceError) || error.retryAfter === undefined) throw error;
        await sleep(error.retryAfter * 1000, undefined, { signal: this.gone }).catch(() => {});
      }
    }
    return false;
  }

  #failed(error: unknown): void {
    if (error instanceof BadMessage) return this.close(1008, error.message);
    if (error instanceof ServiceError) return this.close(1013, error.message);
    this.#log.error({ err: error }, 'a socket of a Jupyter client failed');
    this.close(1011, 'Internal error');
  }
}
