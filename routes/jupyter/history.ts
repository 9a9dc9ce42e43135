/** Cells that are remembered, and their characters together. */
const MOST_CELLS = 1000;
const MOST_LENGTH = 256 * 1024;

interface Entry {
  readonly line: number;
  readonly code: string;
}

/** The latest cells of a kernel, for clients that show them again. */
export class History {
  #entries: Entry[] = [];
  #length = 0;

  add(line: number, code: string): void {
    this.#entries.push({ line, code });
    this.#length += code.length;
    while (this.#entries.length > MOST_CELLS || this.#length > MOST_LENGTH)
      this.#length -= this.#entries.shift()!.code.length;
  }

  clear(): void {
    this.#entries = [];
    this.#length = 0;
  }

  /** As `history_reply` has them, of this run of the kernel: session, line, input, which is with its output a pair. */
  read({ hist_access_type, n, start, stop, output }: Readonly<Record<string, unknown>>): unknown[] {
    const found = () => {
      if (hist_access_type === 'range') {
        const from = typeof start === 'number' ? start : 0;
        const end = typeof stop === 'number' ? stop : Number.POSITIVE_INFINITY;
        return this.#entries.filter(({ line }) => line >= from && line < end);
      }
      // Patterns are not searched for.
      if (hist_access_type !== 'tail') return [];
      return typeof n === 'number' && n > 0 ? this.#entries.slice(-n) : this.#entries;
    };
    return found().map(({ line, code }) => [0, line, output === true ? [code, null] : code]);
  }
}
