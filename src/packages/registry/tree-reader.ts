import { readSync } from 'node:fs';

/** What `agent export` writes (src/agent/export_tool.h). Hostile: it comes out of a sandbox. */
export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly path: string;
  readonly mode: number;
  readonly bytes: number;
  /** All of it must be read before the next entry. What is small is there already. */
  readonly content: Iterable<Uint8Array>;
}

const TYPES = [null, 'file', 'directory', 'link', 'other'] as const;
const MAX_PATH_BYTES = 4096;
const MAX_LINK_BYTES = 4096;
/** A file of up to so many bytes is read before it is given on: most are small, and pieces of their own cost more than their bytes. */
const WHOLE_BYTES = 1024 * 1024;
const BUFFER_BYTES = 1024 * 1024;
const LEAST_READ_BYTES = 64 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The entries of a tree in the order they came. @throws {Error} it is malformed, or ends too early */
export function* readTree(source: Iterable<Uint8Array>): Generator<TreeEntry, void> {
  const bytes = new ByteReader(source);
  while (true) {
    const type = TYPES[bytes.take(1)[0]!];
    if (type === undefined) throw new Error('an entry of no known type');
    if (type === null) return;
    const length = bytes.take(4).readUInt32LE();
    if (length === 0 || length > MAX_PATH_BYTES) throw new Error(`a path of ${length} bytes`);
    const path = utf8.decode(bytes.take(length));
    const head = bytes.take(12);
    const [mode, size] = [head.readUInt32LE(0), Number(head.readBigUInt64LE(4))];
    if (type === 'link' ? size > MAX_LINK_BYTES : type !== 'file' && size > 0)
      throw new Error(`a ${type} of ${size} bytes`);
    const content = size <= WHOLE_BYTES ? [bytes.take(size)] : bytes.pieces(size);
    yield { type, path, mode, bytes: size, content };
  }
}

/** What can be read from a descriptor until its end. It is waited for: whoever asks has nothing else to do. */
export function* piecesFrom(fd: number): Generator<Uint8Array, void> {
  for (let buffer = Buffer.alloc(0), at = 0; ; ) {
    if (buffer.byteLength - at < LEAST_READ_BYTES) [buffer, at] = [Buffer.allocUnsafeSlow(BUFFER_BYTES), 0];
    const read = readSync(fd, buffer, { offset: at });
    if (read === 0) return;
    yield buffer.subarray(at, at + read);
    at += read;
  }
}

/** Reads so many bytes of what comes in pieces of any size. */
class ByteReader {
  readonly #source: Iterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: Iterable<Uint8Array>) {
    this.#source = source[Symbol.iterator]();
  }

  take(count: number): Buffer {
    if (this.#held.byteLength < count) {
      const pieces = [this.#held];
      for (let bytes = this.#held.byteLength; bytes < count; bytes += pieces.at(-1)!.byteLength)
        pieces.push(this.#next());
      this.#held = Buffer.concat(pieces);
    }
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  *pieces(count: number): Generator<Uint8Array, void> {
    for (let left = count; left > 0; ) {
      if (this.#held.byteLength === 0) this.#held = this.#next();
      const piece = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(piece.byteLength);
      left -= piece.byteLength;
      yield piece;
    }
  }

  #next(): Buffer {
    const { done, value } = this.#source.next();
    if (done) throw new Error('it ends too early');
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
}
