import { Progress } from './print.ts';

const MB = 1_000_000;
/** Between two that are shown, milliseconds. */
const PAUSE_MS = 100;

/** Shows how much has been copied, where a person looks on. */
export class Copied implements Disposable {
  readonly #progress = new Progress();
  #shownAt = 0;

  readonly show = ({ bytes, totalBytes }: { bytes: number; totalBytes?: number }): void => {
    const now = performance.now();
    if (now - this.#shownAt < PAUSE_MS) return;
    this.#shownAt = now;
    const all = totalBytes
      ? ` of ${megabytes(totalBytes)} (${Math.floor((100 * bytes) / totalBytes)} %)`
      : '';
    this.#progress.show(`${megabytes(bytes)}${all}`);
  };

  /** Bytes, counted as they pass. */
  async *passing<T extends Uint8Array>(data: AsyncIterable<T>): AsyncGenerator<T> {
    let bytes = 0;
    for await (const piece of data) {
      bytes += piece.byteLength;
      this.show({ bytes });
      yield piece;
    }
  }

  [Symbol.dispose](): void {
    this.#progress.clear();
  }
}

const megabytes = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`;
