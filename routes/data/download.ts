import { createHash } from 'node:crypto';
import { invalid, ServiceError } from '../../src/errors.ts';
import type { Download } from '../../src/service/service.ts';
import type { Coding } from '../../src/service/transfers/codings.ts';
import { turn } from '../../src/wire/turns.ts';
import { MAX_PAYLOAD_BYTES } from './frames.ts';
import type { Id } from './messages.ts';
import { type ActiveTransfer, IDLE_MS, type Say, type SendData, WINDOW_BYTES } from './transfer.ts';

/** A file, or a part of it, that goes over a connection, as fast as its client grants and takes it. */
export class DownloadTransfer implements ActiveTransfer {
  readonly id: Id;
  readonly number: number;
  readonly held = 0;
  readonly done: Promise<object>;
  readonly #download: Download;
  readonly #sendData: SendData;
  readonly #idle: NodeJS.Timeout;
  /** Rejects when it is stopped. */
  readonly #stopped = Promise.withResolvers<never>();
  #window = WINDOW_BYTES;
  #wake: (() => void) | undefined;
  #over = false;

  /** @throws {ServiceError} the file has no such part */
  constructor(
    id: Id,
    download: Download,
    part: { offset: number; length: number | null; coding: Coding | null },
    { say, sendData }: { say: Say; sendData: SendData },
  ) {
    this.id = id;
    this.number = download.transfer;
    this.#download = download;
    this.#sendData = sendData;
    const { size, type, version } = download.status;
    if (type !== 'file') throw new ServiceError('CONFLICT', `Is a directory: ${download.path}`);
    if (part.offset > size)
      throw new ServiceError('RANGE_NOT_SATISFIABLE', `offset: the file has ${size} bytes`);
    if (part.coding && !download.mayEncode())
      throw new ServiceError(
        'QUEUE_FULL',
        'Too many compressed files are on their way at once; try again later',
      );
    const length = Math.min(part.length ?? size, size - part.offset);
    const idle = new ServiceError('CANCELLED', `Nothing was taken for ${IDLE_MS / 1000} s`);
    this.#idle = setTimeout(() => this.#stop(idle), IDLE_MS).unref();
    this.#stopped.promise.catch(() => {});
    say({ id, op: 'ready', transfer: this.number, size, offset: part.offset, version });
    this.done = Promise.race([this.#send(part.offset, length, part.coding), this.#stopped.promise]);
  }

  onData(): void {
    throw invalid('transfer', `${this.number} is a download, and takes nothing`);
  }

  onEnd(): void {
    throw invalid('transfer', `${this.number} is a download, which ends by itself`);
  }

  onWindow(bytes: number): void {
    this.#window = Math.min(this.#window + bytes, Number.MAX_SAFE_INTEGER);
    this.#wake?.();
  }

  stop(reason: ServiceError | null): void {
    this.#stop(reason ?? new ServiceError('CANCELLED', 'The connection is gone'));
  }

  async #send(offset: number, length: number, coding: Coding | null): Promise<object> {
    const hash = createHash('sha256');
    // Of what is compressed the offsets are the stream's own.
    let at = coding ? 0 : offset;
    try {
      const tap = (piece: Uint8Array) => void hash.update(piece);
      for await (const piece of this.#download.read(offset, length, { coding, tap })) {
        at = await this.#sendPiece(at, piece);
        if (this.#over) break;
      }
      return { id: this.id, op: 'done', transfer: this.number, bytes: length, sha256: hash.digest('hex') };
    } finally {
      this.#settle();
    }
  }

  /** Sends as much at a time as is granted; returns where the next one begins. */
  async #sendPiece(at: number, piece: Uint8Array): Promise<number> {
    let sent = 0;
    while (sent < piece.byteLength && !this.#over) {
      if (this.#window === 0) {
        await new Promise<void>(resolve => (this.#wake = resolve));
        continue;
      }
      await turn();
      if (this.#over) break;
      const part = piece.subarray(sent, sent + Math.min(this.#window, MAX_PAYLOAD_BYTES));
      this.#window -= part.byteLength;
      await this.#sendData({ transfer: this.number, offset: at + sent, payload: part });
      this.#idle.refresh();
      sent += part.byteLength;
    }
    return at + sent;
  }

  #stop(reason: ServiceError): void {
    if (this.#over) return;
    this.#stopped.reject(reason);
    this.#settle();
    this.#wake?.();
  }

  #settle(): void {
    this.#over = true;
    clearTimeout(this.#idle);
    this.#download.close();
  }
}
