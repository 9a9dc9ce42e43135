import { textMatcher } from '../../src/commands/glob.ts';

/** Cells that are remembered, and their characters together. */
const MOST_CELLS = 1000;
const MOST_LENGTH = 256 * 1024;
/** Most characters of a pattern. Of a longer one nothing is found. */
const MOST_PATTERN = 1000;

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

  /**
   * As `history_reply` has them, of this run of the kernel: session, line, input, which is with its output a pair.
   * @throws {ServiceError} VALIDATION_ERROR of a pattern that takes too long
   */
  read(asked: Readonly<Record<string, unknown>>): unknown[] {
    return this.#found(asked).map(({ line, code }) => [0, line, asked.output === true ? [code, null] : code]);
  }

  #found(asked: Readonly<Record<string, unknown>>): readonly Entry[] {
    const { hist_access_type, n, start, stop, pattern, unique } = asked;
    if (hist_access_type === 'range') {
      const from = typeof start === 'number' ? start : 0;
      const end = typeof stop === 'number' ? stop : Number.POSITIVE_INFINITY;
      return this.#entries.filter(({ line }) => line >= from && line < end);
    }
    const last = (entries: readonly Entry[]) =>
      typeof n === 'number' && n > 0 ? entries.slice(-n) : entries;
    if (hist_access_type === 'tail') return last(this.#entries);
    if (hist_access_type !== 'search' || typeof pattern !== 'string') return [];
    if (pattern.length > MOST_PATTERN) return [];
    const fits = textMatcher(pattern, 'pattern');
    const matches = this.#entries.filter(({ code }) => fits(code));
    return last(unique === true ? latestOfEach(matches) : matches);
  }
}

/** Of entries with the same code, the last. */
function latestOfEach(entries: readonly Entry[]): Entry[] {
  const latest = new Map<string, Entry>();
  for (const entry of entries) {
    latest.delete(entry.code);
    latest.set(entry.code, entry);
  }
  return [...latest.values()];
}
