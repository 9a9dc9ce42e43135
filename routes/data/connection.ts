import { invalid, moreOf, ServiceError } from '../../src/errors.ts';
import { LIMITS } from '../../src/schemas/limits.ts';
import type { Call } from '../../src/service/call.ts';
import type { Transfers } from '../../src/service/service.ts';
import { DownloadTransfer } from './download.ts';
import { readFrame } from './frames.ts';
import {
  type DownloadMessage,
  type Id,
  idOf,
  readJson,
  readMessage,
  type UploadMessage,
} from './messages.ts';
import type { ActiveTransfer, Say, SendData } from './transfer.ts';
import { UploadTransfer } from './upload.ts';

/** Numbers of transfers that have ended, whose frames may still be on their way. */
const REMEMBERED = 1024;

/** One client of /ws/data, without its socket: starts transfers and brings them their frames. */
export class DataConnection {
  readonly #transfers: Transfers;
  readonly #call: Call;
  readonly #say: Say;
  readonly #sendData: SendData;
  readonly #admit: () => void;
  readonly #onTaken: () => void;
  /** By the client's names; null: one that is being opened. */
  readonly #byId = new Map<Id, ActiveTransfer | null>();
  readonly #byNumber = new Map<number, ActiveTransfer>();
  readonly #ended: number[] = [];
  /** Those that were cancelled while they were being opened. */
  readonly #cancelled = new Set<Id>();
  #closed = false;

  /** `onTaken` is called when a transfer has taken something of what it held. */
  constructor(parts: {
    transfers: Transfers;
    call: Call;
    say: Say;
    sendData: SendData;
    admit: () => void;
    onTaken: () => void;
  }) {
    this.#transfers = parts.transfers;
    this.#call = parts.call;
    this.#say = parts.say;
    this.#sendData = parts.sendData;
    this.#admit = parts.admit;
    this.#onTaken = parts.onTaken;
  }

  /** Bytes that have come and no sandbox has taken yet. */
  get held(): number {
    let bytes = 0;
    for (const transfer of this.#byNumber.values()) bytes += transfer.held;
    return bytes;
  }

  onText(text: string): void {
    let id: Id | null = null;
    try {
      const value = readJson(text);
      id = idOf(value);
      const message = readMessage(value);
      switch (message.op) {
        case 'upload':
          return this.#begin(message.id, () => this.#upload(message));
        case 'download':
          return this.#begin(message.id, () => this.#download(message));
        case 'cancel':
          return this.#cancel(message.id);
        case 'end':
          return this.#active(message.transfer)?.onEnd();
        case 'window':
          return this.#active(message.transfer)?.onWindow(message.bytes);
      }
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  onBytes(message: Buffer): void {
    try {
      const frame = readFrame(message);
      this.#active(frame.transfer)?.onData(frame);
    } catch (error) {
      this.#refuse(null, error);
    }
  }

  /** Its socket is gone: uploads stay for a while. */
  close(): void {
    this.#closed = true;
    for (const transfer of this.#byNumber.values()) transfer.stop(null);
  }

  #begin(id: Id, open: () => Promise<ActiveTransfer>): void {
    this.#admit();
    if (this.#byId.has(id)) throw new ServiceError('CONFLICT', `id: ${id} is under way`, { field: 'id' });
    if (this.#byId.size >= LIMITS.transfersOfConnection)
      throw new ServiceError(
        'QUEUE_FULL',
        `A connection has at most ${LIMITS.transfersOfConnection} transfers at once`,
      );
    this.#byId.set(id, null);
    void this.#run(id, open);
  }

  async #run(id: Id, open: () => Promise<ActiveTransfer>): Promise<void> {
    let transfer: ActiveTransfer | undefined;
    try {
      transfer = await open();
      this.#byId.set(id, transfer);
      this.#byNumber.set(transfer.number, transfer);
      if (this.#closed) transfer.stop(null);
      if (this.#cancelled.has(id)) transfer.stop(new ServiceError('CANCELLED', 'Cancelled'));
      this.#say(await transfer.done);
    } catch (error) {
      this.#refuse(id, error);
    } finally {
      this.#byId.delete(id);
      this.#cancelled.delete(id);
      if (transfer) this.#forget(transfer.number);
    }
  }

  async #upload({ id, sessionId, path, size, sha256, compression, mode, resume }: UploadMessage) {
    const options = {
      resumable: true,
      hashed: true,
      ...(size !== undefined && { size }),
      ...(mode !== undefined && { mode }),
      ...(sha256 !== undefined && { sha256: Buffer.from(sha256, 'hex') }),
      ...(compression && { coded: { coding: compression, field: 'compression' } }),
    };
    const upload =
      resume === undefined
        ? await this.#transfers.upload(sessionId, path, options, this.#call)
        : await this.#transfers.resume(sessionId, { transfer: resume, path, options }, this.#call);
    return new UploadTransfer(id, upload, { say: this.#say, onTaken: this.#onTaken });
  }

  async #download({ id, sessionId, path, offset = 0, length, compression }: DownloadMessage) {
    const download = await this.#transfers.download(sessionId, path, this.#call);
    try {
      const part = { offset, length: length ?? null, coding: compression ?? null };
      return new DownloadTransfer(id, download, part, { say: this.#say, sendData: this.#sendData });
    } catch (error) {
      download.close();
      throw error;
    }
  }

  #cancel(id: Id): void {
    const transfer = this.#byId.get(id);
    if (transfer === undefined) throw new ServiceError('NOT_FOUND', `id: nothing of that name is under way`);
    if (transfer) transfer.stop(new ServiceError('CANCELLED', 'Cancelled'));
    else this.#cancelled.add(id);
  }

  /** Undefined for one that has ended, whose client may not know yet. @throws {ServiceError} it never was this connection's */
  #active(number: number): ActiveTransfer | undefined {
    const transfer = this.#byNumber.get(number);
    if (!transfer && !this.#ended.includes(number))
      throw invalid('transfer', `${number} is not this connection's`);
    return transfer;
  }

  #forget(number: number): void {
    this.#byNumber.delete(number);
    this.#ended.push(number);
    if (this.#ended.length > REMEMBERED) this.#ended.shift();
  }

  #refuse(id: Id | null, error: unknown): void {
    const known = error instanceof ServiceError ? error : null;
    if (!known) this.#call.log.error({ err: error }, 'a transfer failed');
    const { code = 'INTERNAL_ERROR', message = 'Internal error' } = known ?? {};
    this.#say({ id, op: 'error', code, message, ...(known && moreOf(known)) });
  }
}
