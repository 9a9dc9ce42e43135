import { CodeBeakerError, connectionLost, isUnanswered } from './codebeaker-error.ts';
import { DataLink } from './data-link.ts';
import type { Http } from './http.ts';
import { pause } from './pause.ts';

/** How far a file has come. */
export interface FileProgress {
  /** Of the file. Where a connection was lost, it may be less than before. */
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface TransferOptions {
  /** Told as it goes on. */
  onProgress?: ((progress: FileProgress) => void) | undefined;
  /** Ends it: an upload then changes nothing. */
  signal?: AbortSignal | undefined;
}

/** Which file, and whose. */
interface Place {
  readonly sessionId: string;
  readonly path: string;
  /** For how long in vain a lost connection is made again, milliseconds. */
  readonly patience: number;
}

/**
 * Sends a file, which changes when all of it is there. Over a connection that is made again it goes on behind the last byte that was
 * taken.
 */
export async function upload(
  http: Http,
  { patience, ...place }: Place,
  { data, mode, onProgress, signal }: TransferOptions & { data: Blob; mode?: number | undefined },
): Promise<void> {
  const { size } = data;
  const attempts = new Attempts(patience);
  let transfer: number | undefined;
  for (;;) {
    let link: DataLink | undefined;
    try {
      link = await DataLink.open(http, signal);
      const ready = await link.begin({ op: 'upload', ...place, size, mode, resume: transfer });
      transfer = ready.transfer;
      attempts.reached(ready.offset);
      for (let at = ready.offset; at < size; onProgress?.({ bytes: at, totalBytes: size }))
        at += await link.send(at, data.slice(at));
      return await link.done();
    } catch (error) {
      const isGone = transfer !== undefined && error instanceof CodeBeakerError && error.code === 'NOT_FOUND';
      // Nothing is left to go on with; or all of it had come, and the word of that was lost.
      if (isGone) transfer = undefined;
      await attempts.after(isGone ? connectionLost() : error);
    } finally {
      link?.close();
    }
  }
}

/**
 * A file, or a part of it, piece by piece. Over a connection that is made again it goes on behind the last piece.
 * @throws {CodeBeakerError} CONFLICT where it has changed meanwhile
 */
export async function* download(
  http: Http,
  { patience, ...place }: Place,
  { offset = 0, length, onProgress, signal }: TransferOptions & { offset?: number; length?: number },
): AsyncGenerator<Uint8Array, void> {
  const attempts = new Attempts(patience);
  let at = offset;
  let version: string | undefined;
  for (;;) {
    let link: DataLink | undefined;
    try {
      link = await DataLink.open(http, signal);
      const left = length && offset + length - at;
      const ready = await link.begin({ op: 'download', ...place, offset: at, length: left });
      version ??= ready.version;
      if (version !== ready.version)
        throw new CodeBeakerError('CONFLICT', `${place.path} has changed while it was read`);
      attempts.reached(at);
      for await (const piece of link.pieces()) {
        at += piece.byteLength;
        attempts.reached(at);
        onProgress?.({ bytes: at, totalBytes: ready.size });
        yield piece;
      }
      return;
    } catch (error) {
      await attempts.after(error);
    } finally {
      link?.close();
    }
  }
}

/** For how long a transfer is begun once more. */
class Attempts {
  readonly #patience: number;
  #deadline = 0;
  #farthest = -1;
  /** Whether it came farther since the last loss. */
  #hasMoved = false;
  #tries = 0;

  constructor(patience: number) {
    this.#patience = patience;
  }

  reached(offset: number): void {
    if (offset <= this.#farthest) return;
    this.#farthest = offset;
    this.#hasMoved = true;
    this.#tries = 0;
  }

  /** Resolves when it may be tried once more. @throws the error, where that does not help */
  async after(error: unknown): Promise<void> {
    // The time runs from the loss; what never began is not tried again.
    if (this.#hasMoved) this.#deadline = Date.now() + this.#patience;
    this.#hasMoved = false;
    if (!isUnanswered(error) || Date.now() >= this.#deadline) throw error;
    await pause(this.#tries++);
  }
}
