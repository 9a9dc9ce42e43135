/** A part of an archive; its `data` is read before the next one is asked for, or left out. */
export interface TarEntry {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'link' | 'symlink' | 'other';
  /** Of a link. */
  readonly target: string;
  readonly mode: number;
  readonly size: number;
  readonly data: AsyncIterable<Uint8Array>;
}

/** What is no archive, or more than one may hold; the message is a sentence. */
export class TarError extends Error {
  override readonly name = 'TarError';
}

const BLOCK = 512;
/** Of extended headers before one entry: a path has 4096 bytes at most. */
const MAX_EXTENDED = 256 * 1024;
/** Of the length of a record in them. */
const MOST_DIGITS = 6;
const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '\0': 'file',
  '7': 'file',
  '1': 'link',
  '2': 'symlink',
  '5': 'directory',
};
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The entries of a tar archive (POSIX.1-2017, pax, "ustar Interchange Format", with long names of GNU), which may be a stranger's: of it
 * no more than a piece and its headers are in memory. @throws {TarError}
 */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry, void> {
  const bytes = new Bytes(source);
  let extended = new Map<string, string>();
  let extendedBytes = 0;
  for (;;) {
    const block = await bytes.exactly(BLOCK);
    // Two blocks of zeros are its end; one does as well.
    if (block.every(byte => byte === 0)) return;
    const header = headerIn(block);
    const size = sizeOf(extended.get('size'), header.size);
    const padding = (BLOCK - (size % BLOCK)) % BLOCK;
    if ('xgLK'.includes(header.flag)) {
      extendedBytes += size;
      if (extendedBytes > MAX_EXTENDED) throw new TarError('The archive has a header that is too long');
      const content = await bytes.exactly(size);
      await bytes.skip(padding);
      if (header.flag === 'x') for (const [name, value] of recordsIn(content)) extended.set(name, value);
      if (header.flag === 'L') extended.set('path', textIn(content));
      if (header.flag === 'K') extended.set('linkpath', textIn(content));
      continue;
    }
    const piece = bytes.take(size);
    yield {
      name: extended.get('path') ?? header.name,
      target: extended.get('linkpath') ?? header.target,
      type: TYPES[header.flag] ?? 'other',
      mode: header.mode,
      size,
      data: piece,
    };
    await piece.rest();
    await bytes.skip(padding);
    extended = new Map();
    extendedBytes = 0;
  }
}

function headerIn(block: Uint8Array) {
  const field = (from: number, length: number) => block.subarray(from, from + length);
  let sum = 0;
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : block[at]!;
  if (numberIn(field(148, 8)) !== sum) throw new TarError('What came is no tar archive');
  const isUstar = textIn(field(257, 5)) === 'ustar';
  const prefix = isUstar && block[262] === 0 ? textIn(field(345, 155)) : '';
  const name = textIn(field(0, 100));
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: numberIn(field(100, 8)),
    size: numberIn(field(124, 12)),
    flag: String.fromCharCode(block[156]!),
    target: textIn(field(157, 100)),
  };
}

/** Octal digits, or with the highest bit set a number in base 256, as GNU writes what is larger. */
function numberIn(field: Uint8Array): number {
  const isBinary = (field[0]! & 0x80) !== 0;
  const value = isBinary
    ? field.reduce((sum, byte, at) => sum * 256 + (at === 0 ? byte & 0x7f : byte), 0)
    : Number.parseInt(textIn(field).trim() || '0', 8);
  if (!Number.isSafeInteger(value) || value < 0) throw new TarError('The archive has a number that is none');
  return value;
}

function sizeOf(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(value)) throw new TarError('The archive has a size that is none');
  return value;
}

/** Up to its first NUL. Bytes of what is no UTF-8 are written as the service's listings have them, `\\xe9`, so that no two names become one. */
function textIn(field: Uint8Array): string {
  const end = field.indexOf(0);
  const bytes = end < 0 ? field : field.subarray(0, end);
  try {
    return decoder.decode(bytes);
  } catch {
    return Array.from(bytes, byte =>
      byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
    ).join('');
  }
}

/** `LENGTH NAME=VALUE\n`, where LENGTH counts all of it in bytes. */
function* recordsIn(content: Uint8Array): Generator<[name: string, value: string]> {
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const digits = space - at;
    const length = digits > 0 && digits <= MOST_DIGITS ? Number(textIn(content.subarray(at, space))) : 0;
    if (!(length > digits + 1) || at + length > content.length)
      throw new TarError('The archive has a header that is none');
    const record = content.subarray(space + 1, at + length - 1);
    const equals = record.indexOf(0x3d);
    if (equals > 0) yield [textIn(record.subarray(0, equals)), textIn(record.subarray(equals + 1))];
    at += length;
  }
}

/** A stream that is read by counts. */
class Bytes {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** At least one byte and at most so many. @throws {TarError} at the end */
  async some(most: number): Promise<Uint8Array> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) throw new TarError('The archive is cut off');
      this.#piece = value;
    }
    const taken = this.#piece.subarray(0, most);
    this.#piece = this.#piece.subarray(taken.length);
    return taken;
  }

  async exactly(count: number): Promise<Uint8Array> {
    const all = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      const piece = await this.some(count - at);
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  async skip(count: number): Promise<void> {
    for (let left = count; left > 0; ) left -= (await this.some(left)).length;
  }

  /** The next bytes, one piece after the other; `rest()` passes over those that were not read. */
  take(count: number): AsyncIterable<Uint8Array> & { rest(): Promise<void> } {
    let left = count;
    const next = async () => {
      const piece = await this.some(left);
      left -= piece.length;
      return piece;
    };
    return {
      rest: async () => {
        while (left > 0) await next();
      },
      async *[Symbol.asyncIterator]() {
        while (left > 0) yield await next();
      },
    };
  }
}
