import type { WebSocket } from 'ws';
import type { Outlet } from '../src/rpc/connection.ts';
import { release } from '../src/wire/release.ts';
import { LARGE_BYTES } from '../src/wire/turns.ts';

/** Bytes being sent to a slow client, beyond which producers wait. */
const WINDOW = 1024 * 1024;

/** A WebSocket as a connection's outlet. Messages stay in order; waiting is the back-pressure. */
export class SocketOutlet implements Outlet {
  readonly #socket: WebSocket;
  #pending = 0;
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('close', () => {
      this.#pending = 0;
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  /** A text message, or a binary one; a text may come in UTF-8 as well, and then its memory is given back when it has left. */
  send(
    message: string | Buffer,
    gone: () => void,
    bytes = Buffer.byteLength(message),
    binary = typeof message !== 'string',
  ): void | Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return gone();
    this.#pending += bytes;
    // A long text of nothing but ASCII becomes bytes sooner so than as UTF-8.
    const isAscii = typeof message === 'string' && bytes > LARGE_BYTES && bytes === message.length;
    const data = isAscii ? Buffer.from(message, 'latin1') : message;
    this.#socket.send(data, { binary }, () => {
      if (!binary && typeof data !== 'string') release(data);
      this.#pending -= bytes;
      gone();
      this.#release();
    });
    return this.room();
  }

  room(): void | Promise<void> {
    if (this.#pending <= WINDOW || this.#socket.readyState !== this.#socket.OPEN) return;
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** Wakes waiters one at a time: what the first sends may use up the room. */
  #release(): void {
    if (this.#pending > WINDOW || this.#waiting.length === 0) return;
    this.#waiting.shift()?.();
    setImmediate(() => this.#release());
  }
}
