import { ContentLengthReader, framed, MAX_MESSAGE_BYTES } from '../../src/wire/content-length.ts';

/** What came is not framed as the client began; `code` closes its connection (RFC 6455, 7.4.1). */
export class WrongFraming extends Error {
  override readonly name = 'WrongFraming';
  readonly code: 1003 | 1009;
  constructor(code: 1003 | 1009, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/**
 * How messages lie in those of a WebSocket, which its client decides by its first: as text each is one, as bytes they are a stream with
 * headers, cut anywhere.
 */
export class Framing {
  /** Null: text. */
  #reader: ContentLengthReader | null | undefined;

  /** Whether this is the first. */
  begin(isBinary: boolean): boolean {
    if (this.#reader !== undefined) return false;
    this.#reader = isBinary ? new ContentLengthReader() : null;
    return true;
  }

  /** @throws {WrongFraming | BadFrame} */
  read(data: Buffer, isBinary: boolean): string[] {
    if (isBinary === !this.#reader)
      throw new WrongFraming(1003, 'Messages go on as they began: as text, or as bytes');
    if (this.#reader) return [...this.#reader.push(data)];
    if (data.byteLength > MAX_MESSAGE_BYTES)
      throw new WrongFraming(1009, `A message has ${MAX_MESSAGE_BYTES} bytes at most`);
    return [data.toString('utf8')];
  }

  write(text: string): string | Buffer {
    return this.#reader ? framed(text) : text;
  }
}
