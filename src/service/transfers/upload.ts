import { createHash } from 'node:crypto';
import { ServiceError } from '../../errors.ts';
import type { FileSink, OpenFile } from '../../sandbox.ts';
import type { Upload } from '../service.ts';
import { asServiceError } from './refusals.ts';

/** New content of a session's file on its way, over one connection or several. */
export class FileUpload implements Upload {
  readonly transfer: number;
  readonly path: string;
  readonly size: number | null;
  received = 0;
  readonly #sink: FileSink;
  readonly #hash: ReturnType<typeof createHash> | null;
  readonly #keep: ((upload: FileUpload) => void) | null;
  #leave: () => void;

  /** `hashed`: its digest will be wanted. `keep`: what becomes of it when it is cut; null: it is given up. */
  constructor(
    sink: FileSink,
    parts: {
      transfer: number;
      path: string;
      size: number | null;
      hashed: boolean;
      keep: ((upload: FileUpload) => void) | null;
      leave: () => void;
    },
  ) {
    this.#sink = sink;
    this.transfer = parts.transfer;
    this.path = parts.path;
    this.size = parts.size;
    this.#hash = parts.hashed ? createHash('sha256') : null;
    this.#keep = parts.keep;
    this.#leave = parts.leave;
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.size !== null && this.received + data.byteLength > this.size)
      throw new ServiceError('VALIDATION_ERROR', `More than the ${this.size} bytes that were announced`);
    this.received += data.byteLength;
    this.#hash?.update(data);
    await asServiceError(this.#sink.write(data));
  }

  async finish(sha256: Buffer | null = null): Promise<OpenFile & { made: boolean; sha256: Buffer | null }> {
    if (this.size !== null && this.received < this.size)
      throw new ServiceError('VALIDATION_ERROR', `${this.received} of ${this.size} bytes have come`);
    const digest = this.#hash?.digest() ?? null;
    if (sha256 && !digest?.equals(sha256))
      throw new ServiceError('DIGEST_MISMATCH', 'The content has another digest; nothing was changed');
    const written = await asServiceError(this.#sink.commit());
    this.#leave();
    return { ...written, sha256: digest };
  }

  pause(): void {
    if (!this.#keep) return this.abort();
    this.#leave();
    this.#keep(this);
  }

  /** It goes on; `leave` is called when it has ended or is cut again. */
  goOn(leave: () => void): void {
    this.#leave = leave;
  }

  abort(): void {
    this.#sink.abort();
    this.#leave();
  }
}
