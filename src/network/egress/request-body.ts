import type { Body } from './http-head.ts';

const MAX_LINE_BYTES = 4096;
const MAX_TRAILER_BYTES = 16 * 1024;

/** A body that is not framed as HTTP has it. */
export class BadBody extends Error {}

type State = 'size' | 'data' | 'data_end' | 'trailer' | 'over';

/**
 * Follows the body of a request, so that nothing but the body goes to the server (RFC 9112, 6.3 and 7.1): after it comes another request,
 * which nobody has judged.
 */
export class RequestBody {
  #left: number;
  #state: State;
  #line = '';
  #trailer = 0;
  readonly #chunked: boolean;

  constructor(body: Body) {
    this.#left = body.kind === 'length' ? body.bytes : 0;
    this.#state = body.kind === 'chunked' ? 'size' : this.#left > 0 ? 'data' : 'over';
    this.#chunked = body.kind === 'chunked';
  }

  get over(): boolean {
    return this.#state === 'over';
  }

  /** How many of these bytes, which follow on the last ones, are of the body. @throws {BadBody} */
  take(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#state !== 'over') {
      if (this.#state === 'data') {
        const taken = Math.min(this.#left, bytes.length - at);
        at += taken;
        this.#left -= taken;
        if (this.#left === 0) this.#state = this.#chunked ? 'data_end' : 'over';
      } else this.#character(bytes[at++]!);
    }
    return at;
  }

  /** Of what is between chunks. */
  #character(byte: number): void {
    this.#line += String.fromCharCode(byte);
    if (this.#line.length > MAX_LINE_BYTES) throw new BadBody('a line of a chunk is too long');
    if (byte !== 10) return;
    if (!/^[^\r\n]*\r\n$/.test(this.#line)) throw new BadBody('a line of a chunk ends in half a line end');
    const line = this.#line.slice(0, -2);
    this.#line = '';
    if (this.#state === 'size') this.#size(line);
    else if (this.#state === 'data_end') this.#after(line);
    else this.#trailing(line);
  }

  #size(line: string): void {
    const [, digits] = /^([0-9a-fA-F]{1,12})(?:[ \t]*;[\t -~]*)?$/.exec(line) ?? [];
    if (digits === undefined) throw new BadBody('a chunk without a size');
    this.#left = Number.parseInt(digits, 16);
    this.#state = this.#left === 0 ? 'trailer' : 'data';
  }

  #after(line: string): void {
    if (line !== '') throw new BadBody('a chunk that is longer than its size');
    this.#state = 'size';
  }

  #trailing(line: string): void {
    this.#trailer += line.length;
    if (this.#trailer > MAX_TRAILER_BYTES) throw new BadBody('its trailer is too long');
    if (line === '') this.#state = 'over';
  }
}
