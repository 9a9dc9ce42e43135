/** A rewritten source, and where each of its places was. */
export interface Rewritten {
  readonly text: string;
  /** Where in the source a place of `text` was, both 1-based; a place inside of what was put in is where it was put. */
  placeOf(line: number, column: number): Place;
  /** Where in `text` a place of the source is, as offsets. */
  offsetOf(source: number): number;
}

export interface Place {
  readonly line: number;
  readonly column: number;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Of edits at one place: what ends there, what begins there, what stands there instead. */
  readonly rank: 0 | 1 | 2;
  readonly order: number;
}

/**
 * Changes to a source, by its own offsets. No change adds a line, and none that is made here takes one away, so that every
 * line stays where its author wrote it. A change inside of a replaced range is dropped.
 */
export class Edits {
  readonly source: string;
  readonly #edits: Edit[] = [];

  constructor(source: string) {
    this.source = source;
  }

  /** Puts text before what begins at an offset; of several, the first that was put stands outermost. */
  before(at: number, text: string): void {
    this.#add(at, at, text, 1);
  }

  /** Puts text after what ends at an offset; of several, the first that was put stands outermost. */
  after(at: number, text: string): void {
    this.#add(at, at, text, 0);
  }

  /** Line breaks of what is replaced stay, behind the new text. */
  replace(start: number, end: number, text: string): void {
    const breaks = this.source.slice(start, end).replace(/[^\n\r\u2028\u2029]/g, '');
    this.#add(start, end, text + breaks, 2);
  }

  /** Line breaks of what is replaced stay, before the new text. */
  replaceLate(start: number, end: number, text: string): void {
    const breaks = this.source.slice(start, end).replace(/[^\n\r\u2028\u2029]/g, '');
    this.#add(start, end, breaks + text, 2);
  }

  /** Spaces instead, and the same line breaks. */
  blank(start: number, end: number): void {
    if (end > start) this.#add(start, end, blanks(this.source.slice(start, end)), 2);
  }

  apply(): Rewritten {
    const { source } = this;
    const edits = this.#edits.sort(
      (a, b) =>
        a.start - b.start || a.rank - b.rank || (a.rank === 0 ? b.order - a.order : a.order - b.order),
    );
    let text = '';
    let at = 0;
    const sources: number[] = [0];
    const targets: number[] = [0];
    for (const { start, end, text: instead } of edits) {
      if (start < at) continue;
      text += source.slice(at, start);
      sources.push(start);
      targets.push(text.length);
      text += instead;
      at = end;
      sources.push(end);
      targets.push(text.length);
    }
    text += source.slice(at);
    return rewritten(source, text, sources, targets);
  }

  #add(start: number, end: number, text: string, rank: Edit['rank']): void {
    this.#edits.push({ start, end, text, rank, order: this.#edits.length });
  }
}

export function blanks(text: string): string {
  return text.replace(/[^\n\r\u2028\u2029]/g, ' ');
}

/** `sources[i]` is where `targets[i]` was; both grow. */
function rewritten(
  source: string,
  text: string,
  sources: readonly number[],
  targets: readonly number[],
): Rewritten {
  const move = (at: number, from: readonly number[], to: readonly number[]): number => {
    const i = last(from, at);
    const moved = to[i]! + at - from[i]!;
    return i + 1 < to.length ? Math.min(moved, to[i + 1]!) : moved;
  };
  let starts: number[] | undefined;
  return {
    text,
    placeOf(line, column) {
      starts ??= lineStarts(text);
      const start = starts[line - 1];
      if (start === undefined) return { line, column };
      return placeAt(source, move(start + column - 1, targets, sources));
    },
    offsetOf: at => move(at, sources, targets),
  };
}

/** Index of the last of a growing list that is not above a number. */
function last(list: readonly number[], most: number): number {
  let low = 0;
  let high = list.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle]! <= most) low = middle;
    else high = middle;
  }
  return low;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

function placeAt(source: string, at: number): Place {
  const before = source.slice(0, at);
  const from = before.lastIndexOf('\n') + 1;
  let line = 1;
  for (let end = before.indexOf('\n'); end >= 0; end = before.indexOf('\n', end + 1)) line++;
  return { line, column: at - from + 1 };
}
