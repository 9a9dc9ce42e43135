import { pathBytes, pathText } from './path-bytes.ts';

/** Writes the fields of a payload one after the other: numbers little endian, a text as its length (u32) and its bytes. */
export class FieldWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(firstBytes = 256) {
    this.#bytes = Buffer.allocUnsafe(firstBytes);
  }

  u8(value: number): this {
    const at = this.#reserve(1);
    this.#bytes.writeUInt8(value, at);
    return this;
  }

  u32(value: number): this {
    const at = this.#reserve(4);
    this.#bytes.writeUInt32LE(value >>> 0, at);
    return this;
  }

  u64(value: number | bigint): this {
    const at = this.#reserve(8);
    this.#bytes.writeBigUInt64LE(BigInt(value), at);
    return this;
  }

  text(value: string): this {
    const length = Buffer.byteLength(value);
    const at = this.#reserve(4 + length);
    this.#bytes.writeUInt32LE(length, at);
    this.#bytes.write(value, at + 4);
    return this;
  }

  /** A text whose escapes are bytes; see path-bytes.ts. */
  path(value: string): this {
    const bytes = pathBytes(value);
    const at = this.#reserve(4 + bytes.byteLength);
    this.#bytes.writeUInt32LE(bytes.byteLength, at);
    bytes.copy(this.#bytes, at + 4);
    return this;
  }

  texts(values: readonly string[]): this {
    this.u32(values.length);
    for (const value of values) this.text(value);
    return this;
  }

  /** What was written; good until more is. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#bytes.byteLength) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#bytes.byteLength));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
    }
    return at;
  }
}

/** Reads them. Throws where a payload is shorter than what is read from it. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(payload: Uint8Array) {
    this.#bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u32(): number {
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  i32(): number {
    return this.#bytes.readInt32LE(this.#take(4));
  }

  /** As a number, inexact beyond 2^53. */
  u64(): number {
    return Number(this.#bytes.readBigUInt64LE(this.#take(8)));
  }

  /** A u64 in words, exact. */
  hex(): string {
    return this.#bytes.readBigUInt64LE(this.#take(8)).toString(16);
  }

  i64(): number {
    return Number(this.#bytes.readBigInt64LE(this.#take(8)));
  }

  /** A byte that is no UTF-8 becomes U+FFFD. */
  text(): string {
    const length = this.u32();
    const at = this.#take(length);
    return this.#bytes.toString('utf8', at, at + length);
  }

  /** A byte that is no UTF-8 is escaped; see path-bytes.ts. */
  path(): string {
    const length = this.u32();
    const at = this.#take(length);
    return pathText(this.#bytes.subarray(at, at + length));
  }

  /** @throws {Error} unless all was read */
  end(): void {
    if (this.left > 0) throw new Error(`${this.left} bytes too many`);
  }

  #take(bytes: number): number {
    const at = this.#at;
    if (bytes > this.left) throw new Error('a payload that ends too early');
    this.#at += bytes;
    return at;
  }
}
