import type { WebSocket } from 'ws';
import type { Outlet } from '../src/rpc/connection.ts';

/** Characters on their way to a client that reads slowly, before what makes more of them waits. */
const WINDOW = 1024 * 1024;

/** A WebSocket as the way out of a connection. What was sent stays in order; waiting is the back-pressure. */
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

  send(text: string, gone: () => void): void | Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return gone();
    this.#pending += text.length;
    this.#socket.send(text, () => {
      this.#pending -= text.length;
      gone();
      this.#release();
    });
    return this.room();
  }

  room(): void | Promise<void> {
    if (this.#pending <= WINDOW || this.#socket.readyState !== this.#socket.OPEN) return;
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  /** One after the other: what the first sends may leave no room for the next. */
  #release(): void {
    if (this.#pending > WINDOW || this.#waiting.length === 0) return;
    this.#waiting.shift()?.();
    setImmediate(() => this.#release());
  }
}
