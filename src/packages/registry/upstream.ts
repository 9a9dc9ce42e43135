import { setTimeout as sleep } from 'node:timers/promises';
import { trustMachine } from '../../confined/control.ts';
import type { IndexSettings } from './index-settings.ts';
import { whyOf } from './why-of.ts';

/** For the first bytes of an answer, milliseconds: at the first attempt, and at the last. */
const PATIENCES_MS = [10_000, 4000] as const;
/** Between two pieces of it. */
const PIECE_MS = 10_000;
const PAUSE_MS = 200;

/** Of all pages that one install looks at: what they say is in memory until its end. */
const MAX_PAGES_BYTES = 256 * 1024 * 1024;

/** What a registry answers where there is no such page. */
const ABSENT: readonly number[] = [404, 410];
const NEVER = new AbortController().signal;

/** A registry did not answer, or not what was asked. */
export class Unreachable extends Error {}
/** What was read is over what may be. */
export class TooLarge extends Error {}

/** A page of a registry, where it came from, and how long it may be given again, milliseconds. */
export interface Page {
  readonly bytes: Buffer;
  readonly type: string;
  readonly url: string;
  readonly freshMs: number;
  /** Where `bytes` are what installers are told already: what it says of artifacts, as its index reads that. */
  readonly artifacts?: Buffer | undefined;
}

/** Whoever has pages that were read before; undefined where it can't be asked. */
export interface Pages {
  get(address: URL, accept: string, mostBytes: number): Promise<Page | null | undefined>;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  /** Where it came from after redirects. */
  readonly url: string;
  /** As {@link Page} has it. */
  readonly freshMs: number;
  /** Bytes of its body, where the registry says so. */
  readonly length: number | null;
  /** @throws {Unreachable} it ended before its end */
  readonly body: AsyncIterable<Uint8Array>;
  /** Lets the rest of it go. */
  cancel(): void;
}

/**
 * A registry, or a mirror of one, by the address that the operator or the machine's own settings name. Its user and password stay
 * with its own host.
 */
export class Upstream {
  readonly base: URL;
  readonly #authorization: string | undefined;
  readonly #mostBytes: number;
  readonly #pages: Pages | null;
  #bytes = 0;

  /** `mostBytes`: of all its pages together that are read; `pages`: who is asked for them first. */
  constructor(
    { url: address, authorization }: IndexSettings,
    { mostBytes = MAX_PAGES_BYTES, pages = null }: { mostBytes?: number; pages?: Pages | null } = {},
  ) {
    this.#mostBytes = mostBytes;
    this.#pages = pages;
    const url = new URL(address.endsWith('/') ? address : `${address}/`);
    const { username, password } = url;
    if (username || password) {
      const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
      this.#authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    } else this.#authorization = authorization ?? undefined;
    url.username = url.password = '';
    this.base = url;
  }

  /** @throws {Unreachable} */
  async get(address: URL, headers: Record<string, string> = {}, signal = NEVER): Promise<Answer> {
    this.#check(address.protocol);
    const own = address.host === this.base.host && this.#authorization;
    const sent = { ...headers, ...(own && { authorization: this.#authorization! }) };
    const [first, last] = PATIENCES_MS;
    if (address.protocol === 'https:') trustMachine();
    try {
      const answer = await this.#once(address, sent, first, signal);
      if (answer.status < 500) return answer;
      answer.cancel();
    } catch {
      // The last attempt tells what is wrong.
    }
    signal.throwIfAborted();
    // It may have been sent on to one that is read over TLS, by one that is not.
    trustMachine();
    await sleep(PAUSE_MS);
    return this.#once(address, sent, last, signal);
  }

  /** A page, and where it came from; null where there is none. @throws {Unreachable | TooLarge} */
  async page(
    address: URL,
    { accept, mostBytes }: { accept: string; mostBytes: number },
  ): Promise<(Omit<Page, 'freshMs'> & { readonly text: string }) | null> {
    const kept = await this.#pages?.get(address, accept, mostBytes);
    if (kept) this.#count(kept);
    const page = kept === undefined ? await this.bytes(address, { accept, mostBytes }) : kept;
    if (!page) return null;
    return { ...page, text: page.artifacts ? '' : page.bytes.toString('utf8') };
  }

  /** As {@link page}, where a page is no text; `absent`: statuses that say that there is none. @throws {Unreachable | TooLarge} */
  async bytes(
    address: URL,
    {
      accept,
      mostBytes,
      absent = ABSENT,
      signal = NEVER,
    }: { accept: string; mostBytes: number; absent?: readonly number[]; signal?: AbortSignal },
  ): Promise<Page | null> {
    const answer = await this.get(address, { accept }, signal);
    const { status, type, url, freshMs } = answer;
    if (status === 200) {
      const bytes = await bytesOf(answer, mostBytes);
      const page = { bytes, type, url, freshMs };
      this.#count(page);
      return page;
    }
    answer.cancel();
    if (absent.includes(status)) return null;
    throw new Unreachable(`${address.host} answered ${status}`);
  }

  #count({ bytes }: Page): void {
    this.#bytes += bytes.byteLength;
    if (this.#bytes > this.#mostBytes)
      throw new TooLarge(`pages of more than ${this.#mostBytes} bytes together`);
  }

  /** Nothing of a registry that is read over TLS comes without. */
  #check(protocol: string): void {
    const fine = protocol === 'https:' || (protocol === 'http:' && this.base.protocol === 'http:');
    if (!fine) throw new Unreachable(`an address that begins with ${protocol}`);
  }

  async #once(
    address: URL,
    headers: Record<string, string>,
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<Answer> {
    const abort = new AbortController();
    const timer = setTimeout(() => abort.abort(), patienceMs);
    let response: Response;
    try {
      response = await fetch(address, { headers, signal: AbortSignal.any([abort.signal, signal]) });
    } catch (error) {
      throw new Unreachable(`${address.host}: ${whyOf(error)}`);
    } finally {
      clearTimeout(timer);
    }
    this.#check(new URL(response.url).protocol);
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      url: response.url,
      freshMs: freshFor(response.headers.get('cache-control')),
      length: Number.isSafeInteger(length) ? length : null,
      body: patiently(response, abort),
      cancel: () => abort.abort(),
    };
  }
}

/** Without end where a registry says nothing of it (RFC 9111, section 5.2.2). */
function freshFor(said: string | null): number {
  if (said === null) return Number.POSITIVE_INFINITY;
  if (/\bno-(?:cache|store)\b/i.test(said)) return 0;
  const [, seconds] = /\bmax-age=(\d{1,9})/i.exec(said) ?? [];
  return seconds === undefined ? Number.POSITIVE_INFINITY : Number(seconds) * 1000;
}

async function* patiently(response: Response, abort: AbortController): AsyncGenerator<Uint8Array, void> {
  if (!response.body) return;
  const wait = () => setTimeout(() => abort.abort(), PIECE_MS);
  let timer = wait();
  try {
    for await (const piece of response.body) {
      clearTimeout(timer);
      // Whoever reads may take its time.
      yield piece;
      timer = wait();
    }
  } catch (error) {
    throw new Unreachable(`${new URL(response.url).host}: ${whyOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** @throws {TooLarge | Unreachable} */
async function bytesOf({ body, cancel }: Answer, mostBytes: number): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > mostBytes) {
      cancel();
      throw new TooLarge(`an index of more than ${mostBytes} bytes`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
