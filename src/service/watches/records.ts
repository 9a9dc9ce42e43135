import { pathText } from '../../wire/path-bytes.ts';

/** Letters of the agent's records (src/agent/watch_tool.h) and what they mean. */
const TYPES = {
  s: 'ready',
  o: 'overflow',
  c: 'created',
  m: 'modified',
  d: 'deleted',
  r: 'renamed',
} as const;

export interface WatchRecord {
  readonly type: (typeof TYPES)[keyof typeof TYPES];
  /** Relative to what is watched; empty for that itself. */
  readonly path: string;
  readonly newPath?: string;
}

/** Bytes that no record has: two paths, each at most a name longer than a system call takes. */
const MOST_BYTES = 16 * 1024;

/** Cuts what the agent's `watch` writes into records. What comes is anybody's: a program of the sandbox may have got the better of it. */
export class RecordReader {
  #held = Buffer.alloc(0);

  /** @throws {Error} for what is no record */
  push(bytes: Uint8Array): WatchRecord[] {
    const all = this.#held.byteLength ? Buffer.concat([this.#held, bytes]) : Buffer.from(bytes);
    const records: WatchRecord[] = [];
    let from = 0;
    for (;;) {
      const record = recordAt(all, from);
      if (!record) break;
      records.push(record.record);
      from = record.end;
    }
    if (all.byteLength - from > MOST_BYTES) throw new Error('a record that has no end');
    this.#held = Buffer.from(all.subarray(from));
    return records;
  }
}

function recordAt(bytes: Buffer, at: number): { record: WatchRecord; end: number } | null {
  const end = bytes.indexOf(0, at);
  if (end < 0) return null;
  const letter = String.fromCharCode(bytes[at] ?? 0);
  if (!Object.hasOwn(TYPES, letter)) throw new Error(`a record that begins with ${JSON.stringify(letter)}`);
  const type = TYPES[letter as keyof typeof TYPES];
  const path = pathText(bytes.subarray(at + 1, end));
  if (type !== 'renamed') return { record: { type, path }, end: end + 1 };
  const newEnd = bytes.indexOf(0, end + 1);
  if (newEnd < 0) return null;
  return { record: { type, path, newPath: pathText(bytes.subarray(end + 1, newEnd)) }, end: newEnd + 1 };
}
