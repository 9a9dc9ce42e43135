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
      this.#release();
    });
  }

  send(text: string): void | Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#pending += text.length;
    this.#socket.send(text, () => {
      this.#pending -= text.length;
      if (this.#pending <= WINDOW) this.#release();
    });
    return this.room();
  }

  room(): void | Promise<void> {
    if (this.#pending <= WINDOW || this.#socket.readyState !== this.#socket.OPEN) return;
    return new Promise(resolve => this.#waiting.push(resolve));
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
