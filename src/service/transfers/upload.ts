import { createHash } from 'node:crypto';
import { invalid, ServiceError } from '../../errors.ts';
import type { FileSink } from '../../sandbox.ts';
import { asServiceError } from '../file-refusals.ts';
import type { CodedBy, Upload, UploadOptions, WrittenUpload } from '../service.ts';
import type { Coder } from './coder.ts';
import type { Coding } from './codings.ts';
import { Decoding } from './decoding.ts';

interface Parts {
  readonly transfer: number;
  readonly path: string;
  readonly size: number | null;
  /** Its digest will be wanted. */
  readonly hashed: boolean;
  /** What its digest must be. */
  readonly sha256: Buffer | null;
  readonly coded: CodedBy | null;
  /** Undoes that. */
  readonly openCoder: (coding: Coding) => Coder;
  /** Its connection was cut; null: then it is given up. */
  readonly onCut: (() => void) | null;
  /** Nothing of it remains to be done. */
  readonly onEnd: () => void;
}

/**
 * New content of a session's file on its way, over one connection or several: the last that has taken hold of it is the one that
 * writes.
 */
export class FileUpload {
  readonly transfer: number;
  readonly path: string;
  readonly size: number | null;
  /** Bytes as they came. */
  received = 0;
  /** Bytes of the file. */
  #written = 0;
  readonly #sink: FileSink;
  readonly #hash: ReturnType<typeof createHash> | null;
  readonly #sha256: Buffer | null;
  readonly #coded: CodedBy | null;
  readonly #onCut: (() => void) | null;
  readonly #onEnd: () => void;
  readonly #decoding: Decoding | null;
  readonly #whole = Promise.withResolvers<void>();
  #ended = false;
  #holder: object | null = null;
  #leave: () => void = () => {};
  /** The write under way. */
  #writing: Promise<unknown> = Promise.resolve();

  constructor(sink: FileSink, parts: Parts) {
    this.#sink = sink;
    this.transfer = parts.transfer;
    this.path = parts.path;
    this.size = parts.size;
    this.#hash = parts.hashed ? createHash('sha256') : null;
    this.#sha256 = parts.sha256;
    this.#coded = parts.coded;
    this.#onCut = parts.onCut;
    this.#onEnd = parts.onEnd;
    if (parts.size === 0) this.#whole.resolve();
    this.#decoding =
      parts.coded &&
      new Decoding(parts.coded, parts.openCoder(parts.coded.coding), piece => this.#take(piece));
  }

  get isCoded(): boolean {
    return this.#decoding !== null;
  }

  /** Whoever goes on with it means what it began with; what is left out is as it was. @throws {ServiceError} */
  mustBe(path: string, { size, sha256, coded }: UploadOptions): void {
    const differs = (field: string) => invalid(field, 'is another than that of the upload that is resumed');
    if (path !== this.path) throw differs('path');
    if (size !== undefined && size !== this.size) throw differs('size');
    if (sha256 && this.#sha256 && !sha256.equals(this.#sha256)) throw differs('sha256');
    if (coded && coded.coding !== this.#coded?.coding) throw differs(coded.field);
  }

  /** Takes hold of it; who had it before has it no more. `leave` is called once, when this hold is over. */
  async hold(leave: () => void): Promise<Upload> {
    this.#leave();
    const holder = {};
    this.#holder = holder;
    this.#leave = leave;
    await this.#writing.catch(() => {});
    if (this.#ended) throw new ServiceError('NOT_FOUND', 'The upload has ended');
    const held = () => this.#holder === holder;
    const check = () => {
      if (!held()) throw new ServiceError('CONFLICT', 'The upload goes on over another connection');
    };
    const { transfer, path, size } = this;
    const received = () => this.received;
    return {
      transfer,
      path,
      size,
      get received() {
        return received();
      },
      whole: this.#whole.promise,
      write: data => {
        check();
        const written = this.#write(data);
        this.#writing = written;
        return written;
      },
      finish: sha256 => {
        check();
        const finished = this.#finish(sha256 ?? this.#sha256);
        this.#writing = finished;
        return finished;
      },
      pause: () => {
        if (held()) this.#pause();
      },
      abort: () => {
        if (held()) this.abort();
      },
    };
  }

  /** Leaves everything as it was, whoever holds it. */
  abort(): void {
    if (this.#ended) return;
    this.#decoding?.close();
    this.#sink.abort();
    this.#end();
  }

  async #write(data: Uint8Array): Promise<void> {
    this.received += data.byteLength;
    await (this.#decoding ? this.#decoding.write(data) : this.#take(data));
  }

  async #take(data: Uint8Array): Promise<void> {
    this.#written += data.byteLength;
    if (this.size !== null && this.#written > this.size)
      throw new ServiceError('VALIDATION_ERROR', `size: more than ${this.size} bytes have come`);
    this.#hash?.update(data);
    await asServiceError(this.#sink.write(data));
    if (this.#written === this.size) this.#whole.resolve();
  }

  async #finish(sha256: Buffer | null): Promise<WrittenUpload> {
    // What may be missing of what is coded is its own end, behind the last byte of the file.
    if (this.#written === this.size) this.#decoding?.close();
    else await this.#decoding?.end();
    if (this.size !== null && this.#written < this.size)
      throw new ServiceError('VALIDATION_ERROR', `size: ${this.#written} of ${this.size} bytes have come`);
    const digest = this.#hash?.digest() ?? null;
    if (sha256 && !digest?.equals(sha256))
      throw new ServiceError('DIGEST_MISMATCH', 'The content has another digest; nothing was changed');
    const file = await asServiceError(this.#sink.commit());
    this.#end();
    return { ...file, bytes: this.#written, sha256: digest };
  }

  #pause(): void {
    if (!this.#onCut) return this.abort();
    this.#letGo();
    this.#onCut();
  }

  #end(): void {
    this.#ended = true;
    this.#letGo();
    this.#onEnd();
  }

  #letGo(): void {
    this.#holder = null;
    this.#leave();
    this.#leave = () => {};
  }
}
