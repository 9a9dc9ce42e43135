import { CodeBeakerError, connectionLost } from './codebeaker-error.ts';
import type { Http } from './http.ts';
import { openSocket } from './open-socket.ts';
import { Silence } from './silence.ts';

/** What either side may send of a transfer before the other has granted more, bytes. */
const WINDOW_BYTES = 4 * 1024 * 1024;
/** What is granted again is granted in steps. */
const GRANT_BYTES = WINDOW_BYTES / 4;
/** u32 transfer, u64 offset, big endian. */
const HEADER_BYTES = 12;
/** Of a frame. */
const MOST_BYTES = 1024 * 1024;
/** The one transfer of a connection, as it is named here; 0 names none. */
const ID = 1;

/** What the service says of a transfer that goes on. */
export interface Ready {
  readonly op: 'ready';
  readonly transfer: number;
  readonly offset: number;
  /** Of a download: of the whole file. */
  readonly size: number;
  /** Of a download: another one whenever the file has changed. */
  readonly version: string;
}
type Message =
  | Ready
  | { readonly op: 'done' }
  | { readonly op: 'window'; readonly bytes: number }
  | { readonly op: 'error'; readonly code: string; readonly message: string };

/** One file on its way over a connection of its own to /ws/data (openapi/protocol.md). It holds no more than a window of it. */
export class DataLink {
  readonly #socket: WebSocket;
  readonly #silence: Silence;
  readonly #pieces: Uint8Array[] = [];
  /** Bytes of these. */
  #held = 0;
  /** What may still be sent. */
  #window = WINDOW_BYTES;
  #taken = 0;
  /** Where the next frame that comes belongs. */
  #next = 0;
  #ready: Ready | undefined;
  #isDone = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: () => void = () => {};
  readonly #signal: AbortSignal | undefined;

  private constructor(socket: WebSocket, signal: AbortSignal | undefined) {
    this.#socket = socket;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort, { once: true });
    socket.onmessage = ({ data }) => {
      try {
        this.#silence.broken();
        if (typeof data === 'string') this.#hear(JSON.parse(data));
        else this.#take(data as ArrayBuffer);
      } catch (error) {
        this.#fail(connectionLost(error));
      }
    };
    socket.onclose = () => this.#fail(connectionLost());
    // Each message is answered, such as one that ends what is not there.
    const ask = () => this.#say({ op: 'cancel', id: 0 });
    this.#silence = new Silence(ask, () => this.#fail(connectionLost()));
  }

  /** @throws {CodeBeakerError} UNREACHABLE, or the signal's reason */
  static async open(http: Http, signal?: AbortSignal): Promise<DataLink> {
    return new DataLink(await openSocket(http, '/ws/data', signal), signal);
  }

  /** Asks for a transfer. @throws {CodeBeakerError} why there is none */
  async begin(asked: object): Promise<Ready> {
    this.#say({ ...asked, id: ID });
    await this.#until(() => this.#ready !== undefined);
    return this.#ready!;
  }

  /** Sends as much of some bytes as it may, when it may, and resolves to how many these were. */
  async send(offset: number, bytes: Blob): Promise<number> {
    await this.#until(() => this.#window > 0);
    const part = bytes.slice(0, Math.min(bytes.size, this.#window, MOST_BYTES));
    const frame = new Uint8Array(HEADER_BYTES + part.size);
    frame.set(new Uint8Array(await part.arrayBuffer()), HEADER_BYTES);
    const header = new DataView(frame.buffer);
    header.setUint32(0, this.#ready!.transfer);
    header.setBigUint64(4, BigInt(offset));
    this.#check();
    this.#window -= part.size;
    this.#socket.send(frame);
    return part.size;
  }

  /** Resolves when all of it has been written. */
  async done(): Promise<void> {
    await this.#until(() => this.#isDone);
  }

  /** What comes, up to its end. */
  async *pieces(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      await this.#until(() => this.#pieces.length > 0 || this.#isDone);
      const piece = this.#pieces.shift();
      if (!piece) return;
      this.#held -= piece.byteLength;
      yield piece;
      this.#grant(piece.byteLength);
    }
  }

  close(): void {
    this.#fail(connectionLost());
  }

  /** An upload whose connection is just gone would stay for a while. */
  readonly #abort = () => {
    this.#say({ op: 'cancel', id: ID });
    this.#fail(this.#signal!.reason);
  };

  #say(message: object): void {
    this.#socket.send(JSON.stringify(message));
  }

  #hear(message: Message): void {
    if (message.op === 'ready') {
      this.#ready = message;
      // The first bytes may come with it, before whoever waits for it is awake.
      this.#next = message.offset;
    } else if (message.op === 'window') this.#window += message.bytes;
    else if (message.op === 'done') this.#isDone = true;
    // The answer to a sign of life has another name.
    else if ((message as { id?: unknown }).id !== 0)
      return this.#fail(new CodeBeakerError(message.code, message.message, message));
    this.#wake();
  }

  #take(frame: ArrayBuffer): void {
    const header = new DataView(frame);
    const offset = Number(header.getBigUint64(4));
    const piece = new Uint8Array(frame, HEADER_BYTES);
    if (header.getUint32(0) !== this.#ready?.transfer || offset !== this.#next)
      throw new Error('a frame came that does not belong here');
    this.#next += piece.byteLength;
    this.#held += piece.byteLength;
    if (this.#held > WINDOW_BYTES) throw new Error('more came than was granted');
    this.#pieces.push(piece);
    this.#wake();
  }

  #grant(bytes: number): void {
    this.#taken += bytes;
    if (this.#taken < GRANT_BYTES || this.#failure) return;
    this.#say({ op: 'window', transfer: this.#ready!.transfer, bytes: this.#taken });
    this.#taken = 0;
  }

  /** Resolves when it is so. @throws what has ended the transfer */
  async #until(isSo: () => boolean): Promise<void> {
    for (;;) {
      this.#check();
      if (isSo()) return;
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #fail(error: unknown): void {
    if (this.#failure) return;
    this.#failure = { error };
    this.#silence[Symbol.dispose]();
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#wake();
  }
}
