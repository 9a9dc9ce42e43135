/** So many bytes from `offset` on. */
export interface Range {
  readonly offset: number;
  readonly length: number;
}

/**
 * The part that a `Range` header asks for (RFC 9110, 14.2): null for all of it, also where several parts or another unit are meant,
 * which a server may leave alone; `none` where the file has no such part.
 */
export function rangeIn(header: string | undefined, size: number): Range | null | 'none' {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return null;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'none' : { offset: size - length, length };
  }
  const offset = Number(first);
  if (last !== '' && Number(last) < offset) return null;
  if (offset >= size) return 'none';
  return { offset, length: (last === '' ? size : Math.min(Number(last) + 1, size)) - offset };
}
