import { invalid } from '../../errors.ts';
import { turn } from '../../wire/turns.ts';
import type { CodedBy } from '../service.ts';
import type { Coder } from './coder.ts';

/** What may come and stand for nothing, bytes: headers, dictionaries, what a sender has flushed. */
const SPARE_BYTES = 1024 * 1024;
/** What is coded is rarely larger than what it stands for, and where it is flushed after every few bytes a few times that. */
const MOST_GROWTH = 2;

/**
 * Undoes a content coding piece by piece, in its client's turns, and gives on what it was as fast as that is taken, as large things are: in
 * turns of the event loop. What nothing comes of is refused.
 */
export class Decoding {
  readonly #by: CodedBy;
  readonly #coder: Coder;
  readonly #take: (piece: Uint8Array) => Promise<void>;
  #came = 0;
  #given = 0;

  constructor(by: CodedBy, coder: Coder, take: (piece: Uint8Array) => Promise<void>) {
    this.#by = by;
    this.#coder = coder;
    this.#take = take;
  }

  /** Resolves when what this piece holds has been taken. @throws {ServiceError} it is not coded like this, or not taken */
  async write(data: Uint8Array): Promise<void> {
    if (this.#came > MOST_GROWTH * this.#given + SPARE_BYTES)
      throw invalid(this.#by.field, `${this.#came} bytes have come, and no more than ${this.#given} of them`);
    this.#came += data.byteLength;
    await this.#give(this.#coder.write(data));
  }

  /** @throws {ServiceError} it ends too early */
  async end(): Promise<void> {
    await this.#give(this.#coder.end());
    this.close();
  }

  close(): void {
    this.#coder.close();
  }

  async #give(pieces: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const piece of pieces) {
        this.#given += piece.byteLength;
        await turn();
        await this.#take(piece);
      }
    } catch (error) {
      const { coding, field } = this.#by;
      throw isBadCoding(error) ? invalid(field, `what came is not ${coding}`) : error;
    }
  }
}

/** Of zlib's, as its three libraries name their errors. */
function isBadCoding(error: unknown): boolean {
  return /^(?:Z_|ZSTD_|ERR__)/.test((error as { code?: string }).code ?? '');
}
