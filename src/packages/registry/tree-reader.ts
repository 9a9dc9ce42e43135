/** What `agent export` writes (src/agent/export_tool.h). Hostile: it comes out of a sandbox. */
export interface TreeEntry {
  readonly type: 'file' | 'directory' | 'link' | 'other';
  readonly path: string;
  readonly mode: number;
  readonly bytes: number;
  /** All of it must be read before the next entry. */
  readonly content: AsyncIterable<Uint8Array>;
}

const TYPES = [null, 'file', 'directory', 'link', 'other'] as const;
const MAX_PATH_BYTES = 4096;
const MAX_LINK_BYTES = 4096;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The entries of a tree in the order they came. @throws {Error} it is malformed, or ends too early */
export async function* readTree(source: AsyncIterable<Uint8Array>): AsyncGenerator<TreeEntry, void> {
  const bytes = new ByteReader(source);
  while (true) {
    const type = TYPES[(await bytes.take(1))[0]!];
    if (type === undefined) throw new Error('an entry of no known type');
    if (type === null) return;
    const length = (await bytes.take(4)).readUInt32LE();
    if (length === 0 || length > MAX_PATH_BYTES) throw new Error(`a path of ${length} bytes`);
    const path = utf8.decode(await bytes.take(length));
    const head = await bytes.take(12);
    const [mode, size] = [head.readUInt32LE(0), Number(head.readBigUInt64LE(4))];
    if (type === 'link' ? size > MAX_LINK_BYTES : type !== 'file' && size > 0)
      throw new Error(`a ${type} of ${size} bytes`);
    yield { type, path, mode, bytes: size, content: bytes.pieces(size) };
  }
}

/** Reads so many bytes of what comes in pieces of any size. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #held: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async take(count: number): Promise<Buffer> {
    while (this.#held.byteLength < count) this.#held = Buffer.concat([this.#held, await this.#next()]);
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async *pieces(count: number): AsyncGenerator<Uint8Array, void> {
    for (let left = count; left > 0; ) {
      if (this.#held.byteLength === 0) this.#held = await this.#next();
      const piece = this.#held.subarray(0, left);
      this.#held = this.#held.subarray(piece.byteLength);
      left -= piece.byteLength;
      yield piece;
    }
  }

  async #next(): Promise<Buffer> {
    const { done, value } = await this.#source.next();
    if (done) throw new Error('it ends too early');
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
}
