import type { LayerRecord } from './layer-record.ts';

/** Layers that are in use take all that layers may. */
export class StoreFull extends Error {}

/** Bytes that layers take together, if there are no others. */
export function takenBy(records: readonly LayerRecord[]): number {
  const bytesOf = new Map(records.map(({ name, bytes }) => [name, bytes]));
  return records.reduce((sum, { bytes, parts = [], overhead = 0 }) => {
    const shared = parts.reduce((all, name) => all + (bytesOf.get(name) ?? 0), 0);
    // What several of them hold is in each one's bytes.
    return sum + Math.max(0, bytes - shared) + overhead;
  }, 0);
}

/**
 * Which layers go so that there is room for one more among them: those that nothing uses, the one longest unused first.
 * @throws {StoreFull}
 */
export function goingFor(
  more: LayerRecord,
  {
    among,
    maxBytes,
    isUsed,
    usedAt,
  }: {
    among: readonly LayerRecord[];
    maxBytes: number;
    isUsed: (record: LayerRecord) => boolean;
    /** Milliseconds since 1970. */
    usedAt: (record: LayerRecord) => number;
  },
): LayerRecord[] {
  if (takenBy([...among.filter(isUsed), more]) > maxBytes) throw new StoreFull();
  const left = new Set(among);
  const without = (gone?: LayerRecord) => takenBy([...left, more].filter(record => record !== gone));
  const going: LayerRecord[] = [];
  if (without() <= maxBytes) return going;
  const unused = among.filter(record => !isUsed(record));
  const times = new Map(unused.map(record => [record, usedAt(record)]));
  unused.sort((one, other) => times.get(one)! - times.get(other)!);
  for (let taken = without(); taken > maxBytes; taken = without()) {
    // What others share would stay on disk.
    const next = unused.findIndex(record => without(record) < taken);
    if (next < 0) return going;
    for (const record of unused.splice(next, 1)) {
      left.delete(record);
      going.push(record);
    }
  }
  return going;
}
