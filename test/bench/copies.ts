import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { WebSocket } from 'ws';
import { frame } from '../support/data-client.ts';

export const PIECE_BYTES = 256 * 1024;
const PIECE = Buffer.alloc(PIECE_BYTES, 'what a file may hold, ');
/** As /ws/data begins. */
const WINDOW_BYTES = 4 * 1024 * 1024;

/** A file that goes up and comes down; its bytes are looked at by nobody. */
export interface Copy {
  /** A multiple of {@link PIECE_BYTES}. */
  up(bytes: number): Promise<void>;
  down(bytes: number): Promise<void>;
}

/** By `PUT` and `GET`. */
export class HttpCopy implements Copy {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#url = url;
    this.#headers = headers;
  }

  async up(bytes: number): Promise<void> {
    const put = request(this.#url, {
      method: 'PUT',
      agent: this.#agent,
      headers: { ...this.#headers, 'content-length': bytes },
    });
    const answered = once(put, 'response');
    for (let sent = 0; sent < bytes; sent += PIECE_BYTES) if (!put.write(PIECE)) await once(put, 'drain');
    put.end();
    const [answer] = await answered;
    answer.resume();
    if (answer.statusCode >= 300) throw new Error(`PUT ${answer.statusCode}`);
  }

  async down(bytes: number): Promise<void> {
    const get = request(this.#url, { agent: this.#agent, headers: this.#headers });
    get.end();
    const [answer] = await once(get, 'response');
    let received = 0;
    answer.on('data', (piece: Buffer) => (received += piece.length));
    await once(answer, 'end');
    if (received !== bytes) throw new Error(`GET ${answer.statusCode}: ${received} bytes`);
  }
}

/** By /ws/data, or by what takes the same messages and grants no windows. */
export class DataCopy implements Copy {
  readonly #url: string;
  readonly #sessionId: string;
  readonly #path: string;

  constructor(url: string, sessionId: string, path = 'f') {
    this.#url = url.replace('http', 'ws');
    this.#sessionId = sessionId;
    this.#path = path;
  }

  async up(bytes: number): Promise<void> {
    const socket = await this.#open();
    let window = this.#sessionId ? WINDOW_BYTES : Number.POSITIVE_INFINITY;
    let wake = () => {};
    const { transfer } = await ask(socket, this.#message('upload', { size: bytes }), 'ready');
    const done = answer(socket, 'done', message => {
      window += message.bytes ?? 0;
      wake();
    });
    for (let sent = 0; sent < bytes; sent += PIECE_BYTES) {
      while (window < PIECE_BYTES) await new Promise<void>(resolve => (wake = resolve));
      window -= PIECE_BYTES;
      const written = new Promise(resolve => socket.send(frame(transfer ?? 0, sent, PIECE), resolve));
      if (socket.bufferedAmount > WINDOW_BYTES / 4) await written;
    }
    await done;
    socket.terminate();
  }

  async down(bytes: number): Promise<void> {
    const socket = await this.#open();
    let received = 0;
    let owed = 0;
    const grant = (transfer: number, count: number) => {
      owed += count;
      if (!this.#sessionId || owed < WINDOW_BYTES / 4) return;
      socket.send(JSON.stringify({ op: 'window', transfer, bytes: owed }));
      owed = 0;
    };
    socket.on('message', (data: Buffer, isBinary) => {
      if (!isBinary) return;
      received += data.length - 12;
      grant(data.readUInt32BE(0), data.length - 12);
    });
    await ask(socket, this.#message('download'), 'done');
    socket.terminate();
    if (received !== bytes) throw new Error(`${received} of ${bytes} bytes`);
  }

  #message(op: string, more: object = {}): string {
    return JSON.stringify({ op, id: 1, sessionId: this.#sessionId, path: this.#path, ...more });
  }

  async #open(): Promise<WebSocket> {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false });
    await once(socket, 'open');
    return socket;
  }
}

interface Answer {
  readonly op: string;
  readonly transfer?: number;
  readonly bytes?: number;
}

function ask(socket: WebSocket, message: string, op: string): Promise<Answer> {
  const answered = answer(socket, op, () => {});
  socket.send(message);
  return answered;
}

/** The first message with that `op`; what else comes is given to `other`. */
function answer(socket: WebSocket, op: string, other: (message: Answer) => void): Promise<Answer> {
  return new Promise((resolve, reject) => {
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) return;
      const message = JSON.parse(String(data));
      if (message.op === op) resolve(message);
      else if (message.op === 'error') reject(new Error(message.message));
      else other(message);
    });
    socket.on('close', () => reject(new Error('the socket closed')));
  });
}
