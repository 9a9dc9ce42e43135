import { beginsTls, MAX_HELLO_BYTES, readClientHello } from './client-hello.ts';
import { type Body, MAX_HEAD_BYTES, readHead } from './http-head.ts';

/** Why what a program says on a connection is not what may be said there. */
export const REFUSALS = ['other_name', 'no_name', 'hidden_name', 'not_tls', 'not_http', 'malformed'] as const;
export type Refusal = (typeof REFUSALS)[number];

export type Verdict =
  /** Nothing is known yet; what of it may go on meanwhile. */
  | { readonly kind: 'more'; readonly bytes: Uint8Array }
  | { readonly kind: 'refused'; readonly reason: Refusal }
  /** Goes on as it is, these bytes first. */
  | { readonly kind: 'passes'; readonly bytes: Uint8Array }
  /** One request goes on: this head, then the body that `rest` begins. */
  | {
      readonly kind: 'request';
      readonly head: Uint8Array;
      readonly rest: Uint8Array;
      readonly body: Body;
      readonly upgrade: boolean;
    };

const HTTPS = 443;
const HTTP = 80;
/** Bytes that may be looked at over again, because they come in small pieces. */
const MAX_WORK_BYTES = 4 * 1024 * 1024;
const NOTHING = new Uint8Array(0);
const MORE = { kind: 'more', bytes: NOTHING } as const;

/**
 * Judges the beginning of a connection to an allowed name: a server of many names goes by what is said to it, not by the address that was
 * dialled. On 443 it must be TLS and on 80 HTTP; elsewhere what is either of them is held to the name, and what is neither passes.
 */
export class FirstBytes {
  readonly #name: string;
  readonly #port: number;
  #bytes: Uint8Array = NOTHING;
  #work = 0;
  #released = false;

  constructor(name: string, port: number) {
    this.#name = name;
    this.#port = port;
  }

  /** Bytes that were looked at so far, those that were looked at again each time. */
  get work(): number {
    return this.#work;
  }

  /** Whether nothing is dialled before the verdict; where servers may speak first it can't wait. */
  get strict(): boolean {
    return this.#port === HTTPS || this.#port === HTTP;
  }

  /** Whether somebody may wait for an answer to what has come, which could still become HTTP. */
  get holds(): boolean {
    return !this.strict && !this.#released && this.#bytes.length > 0 && !beginsTls(this.#bytes);
  }

  /** Lets what has come go on: from then on it may be anything but HTTP. */
  release(): Uint8Array {
    this.#released = true;
    return this.#bytes;
  }

  add(bytes: Uint8Array): Verdict {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    this.#work += this.#bytes.length;
    if (this.#work > MAX_WORK_BYTES) return refused('malformed');
    if (this.#bytes.length === 0) return MORE;
    if (this.#port === HTTPS) return this.#tls();
    if (this.#port !== HTTP && beginsTls(this.#bytes)) return this.#tls();
    return this.#released ? this.#other(bytes) : this.#http();
  }

  #other(latest: Uint8Array): Verdict {
    const { kind } = readHead(this.#bytes);
    if (kind === 'other') return { kind: 'passes', bytes: latest };
    const line = this.#bytes.includes(10);
    return kind === 'more' && !line ? { kind: 'more', bytes: latest } : refused('malformed');
  }

  #tls(): Verdict {
    if (!beginsTls(this.#bytes)) return refused('not_tls');
    const hello = readClientHello(this.#bytes);
    if (hello.kind === 'more') return this.#bytes.length > 2 * MAX_HELLO_BYTES ? refused('malformed') : MORE;
    if (hello.kind === 'bad') return refused('malformed');
    if (hello.name === null) return refused('no_name');
    if (hello.name.toLowerCase() !== this.#name) return refused('other_name');
    return hello.hidden ? refused('hidden_name') : { kind: 'passes', bytes: this.#bytes };
  }

  #http(): Verdict {
    const head = readHead(this.#bytes);
    if (head.kind === 'more') return this.#bytes.length > MAX_HEAD_BYTES ? refused('malformed') : MORE;
    if (head.kind === 'bad') return refused('malformed');
    if (head.kind === 'other')
      return this.#port === HTTP ? refused('not_http') : { kind: 'passes', bytes: this.#bytes };
    const { rewritten, body, upgrade, length } = head;
    if (head.host.replace(/\.$/, '') !== this.#name || (head.port ?? this.#port) !== this.#port)
      return refused('other_name');
    return { kind: 'request', head: rewritten, rest: this.#bytes.subarray(length), body, upgrade };
  }
}

const refused = (reason: Refusal): Verdict => ({ kind: 'refused', reason });
