import { invalid } from '../../../src/errors.ts';

/** Which part of a file a request brings; `first` null: none, it asks how much there is. */
export interface ContentRange {
  readonly first: number | null;
  /** Bytes of the part, and of the whole file. */
  readonly length: number;
  readonly total: number;
}

/** `Content-Range` (RFC 9110, 14.4) of a request; null without one. @throws {ServiceError} */
export function contentRange(header: string | undefined): ContentRange | null {
  if (header === undefined) return null;
  const [, first, last, total] = /^bytes (?:(\d+)-(\d+)|\*)\/(\d+)$/.exec(header) ?? [];
  if (total === undefined) throw invalid('content-range', 'is not bytes FIRST-LAST/TOTAL');
  if (first === undefined) return { first: null, length: 0, total: Number(total) };
  const range = { first: Number(first), length: Number(last) - Number(first) + 1, total: Number(total) };
  if (range.length < 1) throw invalid('content-range', 'ends before it begins');
  if (Number(last) >= range.total || !Number.isSafeInteger(range.total))
    throw invalid('content-range', 'ends beyond its total');
  return range;
}
