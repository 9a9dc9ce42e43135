/** Of a text, counted from 0. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

export interface Original extends Position {
  /** URL. */
  readonly source: string;
}

interface Mapping {
  readonly made: Position;
  readonly from: Position;
  readonly source: number;
}

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Which place of a source each place of a generated script comes from (ECMA-426). */
export class SourceMap {
  /** URLs. */
  readonly sources: readonly string[];
  /** In the order of the generated script. */
  readonly #mappings: readonly Mapping[];

  /** `sources`: URLs, in place of those in it. @throws {Error} what is in `text` is no map */
  constructor(text: string, url: string, sources?: readonly string[]) {
    const { sources: named, sourceRoot = '', mappings } = JSON.parse(text);
    this.sources =
      sources ??
      (named as unknown[]).map(source => URL.parse(`${sourceRoot}${source ?? ''}`, url)?.href ?? url);
    this.#mappings = decode(String(mappings));
  }

  /** Where something comes from: by the last mapping before it on its line. */
  original({ line, column }: Position): Original | null {
    let found: Mapping | null = null;
    for (const mapping of this.#mappings) {
      const { made } = mapping;
      if (made.line > line || (made.line === line && made.column > column)) break;
      if (made.line === line) found = mapping;
    }
    const source = found && this.sources[found.source];
    return source ? { ...found!.from, source } : null;
  }

  /** Where the first code lies that comes from this place of a source, or from the next after it that has any. */
  generated(url: string, { line, column }: Position): Position | null {
    const source = this.sources.indexOf(url);
    let best: Mapping | null = null;
    for (const mapping of this.#mappings) {
      const { from } = mapping;
      const after = from.line > line || (from.line === line && from.column >= column);
      if (mapping.source === source && after && (!best || isBefore(from, best.from))) best = mapping;
    }
    return best?.made ?? null;
  }
}

function isBefore(one: Position, other: Position): boolean {
  return one.line < other.line || (one.line === other.line && one.column < other.column);
}

function decode(mappings: string): Mapping[] {
  const decoded: Mapping[] = [];
  let [source, fromLine, fromColumn] = [0, 0, 0];
  for (const [line, segments] of mappings.split(';').entries()) {
    let column = 0;
    for (const segment of segments.split(',')) {
      const [columns = 0, sources, lines = 0, fromColumns = 0] = numbersOf(segment);
      column += columns;
      if (sources === undefined) continue;
      source += sources;
      fromLine += lines;
      fromColumn += fromColumns;
      decoded.push({ made: { line, column }, from: { line: fromLine, column: fromColumn }, source });
    }
  }
  return decoded;
}

/** Base64 VLQ: five bits a digit, the lowest first, of which the first is the sign. */
function numbersOf(segment: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    if (digit & 32) {
      shift += 5;
      continue;
    }
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
