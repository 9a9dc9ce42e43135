import type { Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import type { Outlet } from '../src/rpc/connection.ts';
import { release } from '../src/wire/release.ts';
import { LARGE_BYTES } from '../src/wire/turns.ts';

/** Bytes being sent to a slow client, beyond which producers wait. */
const WINDOW = 1024 * 1024;
/** Longer texts leave behind their header, without a copy. */
const JOINED_BYTES = 16 * 1024;
/** Of a frame that is a whole text: the last one, of that kind. */
const WHOLE_TEXT = 0x81;
/** In the place of a length, up to which it stands there itself: two bytes follow. */
const TWO_BYTES = 126;

/** A WebSocket as a connection's outlet. Messages stay in order; waiting is the back-pressure. */
export class SocketOutlet implements Outlet {
  readonly #socket: WebSocket;
  readonly #stream: Writable | undefined;
  #pending = 0;
  #waiting: (() => void)[] = [];

  /** `stream`: the one below, of a WebSocket that compresses nothing. Short texts are written to it as frames: ws makes two pieces of each. */
  constructor(socket: WebSocket, stream?: Writable) {
    this.#socket = socket;
    this.#stream = stream;
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
    if (this.#stream && typeof message === 'string' && bytes <= JOINED_BYTES) {
      this.#stream.write(frameOf(message, bytes), () => this.#left(bytes, gone));
      return this.room();
    }
    // A long text of nothing but ASCII becomes bytes sooner so than as UTF-8.
    const isAscii = typeof message === 'string' && bytes > LARGE_BYTES && bytes === message.length;
    const data = isAscii ? Buffer.from(message, 'latin1') : message;
    this.#socket.send(data, { binary }, () => {
      if (!binary && typeof data !== 'string') release(data);
      this.#left(bytes, gone);
    });
    return this.room();
  }

  #left(bytes: number, gone: () => void): void {
    this.#pending -= bytes;
    gone();
    this.#release();
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

/** A text as a frame of a server's, which is not masked (RFC 6455, section 5.2). */
function frameOf(text: string, bytes: number): Buffer {
  const header = bytes < TWO_BYTES ? 2 : 4;
  const frame = Buffer.allocUnsafe(header + bytes);
  frame[0] = WHOLE_TEXT;
  if (header === 2) frame[1] = bytes;
  else {
    frame[1] = TWO_BYTES;
    frame.writeUInt16BE(bytes, 2);
  }
  frame.write(text, header, bytes === text.length ? 'latin1' : 'utf8');
  return frame;
}
