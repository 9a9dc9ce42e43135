/** Cuts a stream of bytes into lines of at most `maxBytes`; a longer one throws. */
export class LineReader {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #held = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk completes, without their ends. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#hold(chunk.subarray(from, end));
      lines.push(Buffer.concat(this.#pieces).toString('utf8'));
      this.#pieces = [];
      this.#held = 0;
      from = end + 1;
    }
    if (from < chunk.byteLength) this.#hold(chunk.subarray(from));
    return lines;
  }

  #hold(piece: Uint8Array): void {
    this.#held += piece.byteLength;
    if (this.#held > this.#maxBytes) throw new Error(`a line is over ${this.#maxBytes} bytes`);
    this.#pieces.push(piece);
  }
}
