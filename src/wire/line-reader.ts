/** Cuts a stream of bytes into lines of at most `maxBytes`; a longer one throws. */
export class LineReader {
  readonly #maxBytes: number;
  /** Grows by doubling: pieces kept as they come would cost a hundred times their size where a program writes bytes. */
  #held = Buffer.alloc(0);
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that this chunk completes, without their ends. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      this.#hold(chunk.subarray(from, end));
      lines.push(this.#held.toString('utf8', 0, this.#length));
      this.#held = Buffer.alloc(0);
      this.#length = 0;
      from = end + 1;
    }
    if (from < chunk.byteLength) this.#hold(chunk.subarray(from));
    return lines;
  }

  #hold(piece: Uint8Array): void {
    const length = this.#length + piece.byteLength;
    if (length > this.#maxBytes) throw new Error(`a line is over ${this.#maxBytes} bytes`);
    if (length > this.#held.byteLength) {
      const larger = Buffer.alloc(Math.max(length, Math.min(this.#held.byteLength * 2, this.#maxBytes)));
      larger.set(this.#held);
      this.#held = larger;
    }
    this.#held.set(piece, this.#length);
    this.#length = length;
  }
}
