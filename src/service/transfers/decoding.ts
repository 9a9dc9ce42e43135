import { invalid } from '../../errors.ts';
import type { CodedBy } from '../service.ts';
import { decoder } from './codings.ts';

/** What may come and stand for nothing, bytes: headers, dictionaries, what a sender has flushed. */
const SPARE_BYTES = 1024 * 1024;
/** What is coded is rarely larger than what it stands for, and where it is flushed after every few bytes a few times that. */
const MOST_GROWTH = 2;

/**
 * Undoes a content coding piece by piece, and gives on what it was as fast as that is taken: what much comes of costs its sandbox, which
 * writes it, as much as the service. What nothing comes of would cost the service alone, and is refused.
 */
export class Decoding {
  readonly #coded: CodedBy;
  readonly #stream: ReturnType<typeof decoder>;
  /** Ends when all of it has been taken. */
  readonly #pumped: Promise<void>;
  #came = 0;
  #given = 0;
  /** Tells the write under way why it will not be taken. */
  #refuse: (error: unknown) => void = () => {};

  constructor(coded: CodedBy, take: (piece: Uint8Array) => Promise<void>) {
    this.#coded = coded;
    this.#stream = decoder(coded.coding);
    this.#pumped = this.#pump(take);
    this.#pumped.catch(() => {});
  }

  /** Resolves when what this piece holds has been taken. @throws {ServiceError} it is not coded like this, or not taken */
  async write(data: Uint8Array): Promise<void> {
    if (this.#stream.destroyed) return this.#pumped;
    if (this.#came > MOST_GROWTH * this.#given + SPARE_BYTES)
      throw invalid(
        this.#coded.field,
        `${this.#came} bytes have come, and no more than ${this.#given} of them`,
      );
    this.#came += data.byteLength;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#refuse = reject;
    // Its failure is the stream's, which the other end explains.
    this.#stream.write(data, error => {
      if (!error) resolve();
    });
    await promise;
  }

  /** @throws {ServiceError} it ends too early */
  async end(): Promise<void> {
    this.#stream.end();
    await this.#pumped;
  }

  close(): void {
    this.#stream.destroy();
  }

  async #pump(take: (piece: Uint8Array) => Promise<void>): Promise<void> {
    try {
      for await (const piece of this.#stream) {
        this.#given += piece.byteLength;
        await take(piece);
      }
    } catch (error) {
      const { coding, field } = this.#coded;
      const problem = isBadCoding(error) ? invalid(field, `what came is not ${coding}`) : error;
      this.#refuse(problem);
      throw problem;
    }
  }
}

/** Of zlib's, as its three libraries name their errors. */
function isBadCoding(error: unknown): boolean {
  return /^(?:Z_|ZSTD_|ERR__)/.test((error as { code?: string }).code ?? '');
}
