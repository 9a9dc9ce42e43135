/** What the beginning of a TLS connection says of whom it wants to speak to. */
export type ClientHello =
  /** It may be one; more must come before that is known. */
  | { readonly kind: 'more' }
  /** It is none, or not one that a client of today sends. */
  | { readonly kind: 'bad' }
  /** `name` null: it names nobody. `hidden`: it carries a second one that only the server can read (RFC 9849). */
  | { readonly kind: 'hello'; readonly name: string | null; readonly hidden: boolean };

const MORE = { kind: 'more' } as const;
const BAD = { kind: 'bad' } as const;
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER_BYTES = 5;
const MAX_RECORD_BYTES = 16_384;
/** Some clients send keys of more than a kilobyte; none sends as much as this. */
export const MAX_HELLO_BYTES = 64 * 1024;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const ENCRYPTED_CLIENT_HELLO = 0xfe0d;

/** Whether these first bytes can be the beginning of TLS. */
export function beginsTls(bytes: Uint8Array): boolean {
  return bytes[0] === HANDSHAKE;
}

/** Reads the first message of a TLS connection (RFC 8446, 4.1.2 and 5.1), which may lie in several records. Never throws. */
export function readClientHello(bytes: Uint8Array): ClientHello {
  const message: Uint8Array[] = [];
  let have = 0;
  let length: number | null = null;
  for (let at = 0; ; ) {
    // Once, of four parts at most: a program may send a record for each byte.
    if (length === null && have >= 4) length = lengthOf(Buffer.concat(message));
    if (length !== null && length > MAX_HELLO_BYTES) return BAD;
    if (length !== null && have >= 4 + length) return inMessage(Buffer.concat(message), length);
    if (at >= bytes.length) return MORE;
    if (bytes[at] !== HANDSHAKE) return BAD;
    if (bytes.length - at < RECORD_HEADER_BYTES) return MORE;
    const size = (bytes[at + 3]! << 8) | bytes[at + 4]!;
    if (bytes[at + 1] !== 3 || size === 0 || size > MAX_RECORD_BYTES) return BAD;
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + size);
    message.push(part);
    have += part.length;
    at += RECORD_HEADER_BYTES + size;
  }
}

const lengthOf = (message: Uint8Array) => (message[1]! << 16) | (message[2]! << 8) | message[3]!;

function inMessage(message: Uint8Array, length: number): ClientHello {
  if (message[0] !== CLIENT_HELLO) return BAD;
  try {
    return inHello(new Reader(message.subarray(4, 4 + length)));
  } catch {
    return BAD;
  }
}

function inHello(hello: Reader): ClientHello {
  // Version and random.
  hello.skip(34);
  for (const lengthBytes of [1, 2, 1]) hello.part(lengthBytes);
  if (hello.left === 0) return { kind: 'hello', name: null, hidden: false };
  const extensions = hello.part(2);
  hello.end();
  const seen = new Set<number>();
  let name: string | null = null;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const data = extensions.part(2);
    // Each may be there once (RFC 8446, 4.2): a server might read the other one.
    if (seen.has(type)) return BAD;
    seen.add(type);
    if (type === SERVER_NAME) name = nameIn(data);
  }
  return { kind: 'hello', name, hidden: seen.has(ENCRYPTED_CLIENT_HELLO) };
}

/** One name of the one kind there is (RFC 6066, 3). */
function nameIn(data: Reader): string {
  const list = data.part(2);
  data.end();
  if (list.number(1) !== HOST_NAME) throw new Error('a name of another kind');
  const name = list.part(2).text();
  list.end();
  if (!/^[!-~]+$/.test(name)) throw new Error('a name of other characters');
  return name;
}

/** Reads what is there, or throws. */
class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  skip(bytes: number): void {
    if (bytes > this.left) throw new Error('it ends too early');
    this.#at += bytes;
  }

  number(bytes: number): number {
    const at = this.#at;
    this.skip(bytes);
    return this.#bytes.subarray(at, at + bytes).reduce((value, byte) => value * 256 + byte, 0);
  }

  /** What a length of so many bytes is before. */
  part(lengthBytes: number): Reader {
    const length = this.number(lengthBytes);
    const at = this.#at;
    this.skip(length);
    return new Reader(this.#bytes.subarray(at, at + length));
  }

  text(): string {
    return Buffer.from(this.#bytes.subarray(this.#at)).toString('latin1');
  }

  end(): void {
    if (this.left > 0) throw new Error('it goes on');
  }
}
