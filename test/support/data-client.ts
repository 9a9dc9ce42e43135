import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';

// biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
type Message = any;

export const MAX_PAYLOAD = 1024 * 1024;
const WINDOW = 4 * MAX_PAYLOAD;

export function frame(transfer: number, offset: number, payload: Uint8Array): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32BE(transfer, 0);
  header.writeBigUInt64BE(BigInt(offset), 4);
  return Buffer.concat([header, payload]);
}

/** A client of /ws/data, which also does what no well-behaved one would. */
export class DataClient {
  readonly socket: WebSocket;
  readonly messages: Message[] = [];
  closed: number | undefined;
  /** Bytes of each transfer, as they came. */
  readonly #received = new Map<number, { from: number; pieces: Buffer[]; bytes: number }>();
  /** What may still be sent of each transfer. */
  readonly #windows = new Map<number, number>();
  #wake: (() => void)[] = [];
  /** Grants what it has received, as a client does; without it a download stops when its window is used up. */
  grants = true;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('close', code => {
      this.closed = code;
      this.#woken();
    });
    socket.on('message', (data: Buffer, isBinary) => {
      if (isBinary) this.#take(data);
      else {
        const message = JSON.parse(String(data));
        if (message.op === 'window')
          this.#windows.set(
            message.transfer,
            (this.#windows.get(message.transfer) ?? WINDOW) + message.bytes,
          );
        else this.messages.push(message);
      }
      this.#woken();
    });
  }

  static async connect(wsUrl: string, options: ClientOptions = {}): Promise<DataClient> {
    const socket = new WebSocket(`${wsUrl}/ws/data`, options);
    const client = new DataClient(socket);
    await once(socket, 'open');
    return client;
  }

  say(message: object | string): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** Sends bytes within the window; resolves when all have been sent, or the transfer has ended. */
  async send(id: string | number, transfer: number, offset: number, data: Uint8Array, most = MAX_PAYLOAD) {
    for (let at = 0; at < data.byteLength && !this.closed; ) {
      const window = this.#windows.get(transfer) ?? WINDOW;
      if (this.messages.some(each => each.id === id && each.op !== 'ready')) return;
      if (window === 0) {
        await new Promise<void>(resolve => this.#wake.push(resolve));
        continue;
      }
      const part = data.subarray(at, at + Math.min(window, most));
      this.#windows.set(transfer, window - part.byteLength);
      await new Promise(resolve => this.socket.send(frame(transfer, offset + at, part), resolve));
      at += part.byteLength;
    }
  }

  /** The first message that fits and was not taken before. */
  async next(fits: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const at = this.messages.findIndex(fits);
      if (at >= 0) return this.messages.splice(at, 1)[0];
      if (this.closed !== undefined) throw new Error(`closed with ${this.closed}`);
      await new Promise<void>(resolve => this.#wake.push(resolve));
    }
  }

  answer(id: string | number): Promise<Message> {
    return this.next(message => message.id === id);
  }

  /** Uploads all of it; resolves to the last message about it. */
  async upload(message: { id: string | number } & Record<string, unknown>, data: Uint8Array, most?: number) {
    this.say({ op: 'upload', ...message });
    const ready = await this.answer(message.id);
    if (ready.op !== 'ready') return ready;
    await this.send(message.id, ready.transfer, ready.offset, data.subarray(ready.offset), most);
    if (message.size === undefined) this.say({ op: 'end', transfer: ready.transfer });
    return this.answer(message.id);
  }

  async download(message: { id: string | number } & Record<string, unknown>) {
    this.say({ op: 'download', ...message });
    const ready = await this.answer(message.id);
    if (ready.op !== 'ready') return { ready, end: ready, data: Buffer.alloc(0) };
    const end = await this.answer(message.id);
    return { ready, end, data: this.received(ready.transfer) };
  }

  received(transfer: number): Buffer {
    return Buffer.concat(this.#received.get(transfer)?.pieces ?? []);
  }

  /** As a network that is gone. */
  async cut(): Promise<void> {
    this.socket.terminate();
    if (this.closed === undefined) await once(this.socket, 'close');
  }

  #take(data: Buffer): void {
    const transfer = data.readUInt32BE(0);
    const offset = Number(data.readBigUInt64BE(4));
    const payload = data.subarray(12);
    const held = this.#received.get(transfer) ?? { from: offset, pieces: [], bytes: 0 };
    this.#received.set(transfer, held);
    if (offset !== held.from + held.bytes)
      throw new Error(`bytes of ${offset} after ${held.from + held.bytes}`);
    held.pieces.push(payload);
    held.bytes += payload.byteLength;
    if (this.grants) this.say({ op: 'window', transfer, bytes: payload.byteLength });
  }

  #woken(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
