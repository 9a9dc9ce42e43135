import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { IndexSettings } from './index-settings.ts';
import { kinds } from './kinds.ts';
import type { EcosystemName, Telling } from './protocol.ts';
import { type Page, type Pages, TooLarge, Upstream } from './upstream.ts';

/** How long a page is given again without asking its registry, milliseconds; less where that says so. */
const KEPT_MS = 60_000;
/** Of all kept pages. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_PAGE_BYTES = 64 * 1024 * 1024;
/** Requests to registries at once: each that has no connection yet has a handshake of TLS to pay. */
const AT_ONCE = 16;
const MAX_ACCEPT_LENGTH = 200;
const UNTIL_READ = Number.POSITIVE_INFINITY;

interface Kept {
  readonly page: Promise<Page | null>;
  /** Who has asked and waits. */
  waiting: number;
  readonly stop: AbortController;
  bytes: number;
  until: number;
}

/**
 * Pages of the operator's indexes, asked of them once a minute for all installs. It is told which page, and nothing else, by the
 * registry's processes of installs, and what it answers comes from the index alone: no install changes what another is told.
 */
export class KeptPages {
  readonly #upstreams = new Map<string, Upstream>();
  readonly #shortened = new Map<Upstream, (page: Page, name: string) => Page>();
  readonly #kept = new Map<string, Kept>();
  readonly #waiting: (() => void)[] = [];
  readonly #maxBytes: number;
  #asking = 0;

  constructor(
    indexes: Readonly<Partial<Record<EcosystemName, IndexSettings>>>,
    {
      maxBytes = MAX_BYTES,
      telling = { address: '', deny: [], minAgeDays: 0 },
    }: { maxBytes?: number; telling?: Telling } = {},
  ) {
    this.#maxBytes = maxBytes;
    for (const [name, settings] of Object.entries(indexes)) {
      const upstream = new Upstream(settings, { mostBytes: Number.POSITIVE_INFINITY });
      this.#upstreams.set(name, upstream);
      const { shortened } = kinds[name as EcosystemName];
      if (shortened) this.#shortened.set(upstream, (page, of) => shortened(page, of, telling));
    }
  }

  /** Answers at a socket that is made at this path. */
  listen(path: string): void {
    rmSync(path, { force: true });
    const server = createServer((request, response) => void this.#answer(request, response));
    server.on('clientError', (_, socket) => socket.destroy());
    // Whoever is given the directory may ask.
    server.listen(path, () => chmodSync(path, 0o666));
  }

  /** Those of one index, for this process itself, until `signal` says that nobody waits. */
  of(ecosystem: EcosystemName, signal: AbortSignal): Pages {
    const upstream = this.#upstreams.get(ecosystem);
    return { get: async (address, accept) => upstream && this.#page(upstream, address, accept, signal) };
  }

  async #answer({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('error', () => {}).once('close', () => gone.abort());
    // Who asks knows that somebody is there, however long its registry takes.
    response.writeProcessing();
    try {
      const [, ecosystem = '', encoded = ''] = /^\/(\w+)\?(.+)$/.exec(url) ?? [];
      const upstream = this.#upstreams.get(ecosystem);
      const address = URL.parse(decodeURIComponent(encoded));
      const { accept = '' } = headers;
      const isOurs = address && upstream && address.href.startsWith(upstream.base.href);
      if (!isOurs || accept.length > MAX_ACCEPT_LENGTH) return void response.writeHead(400).end();
      const page = await this.#page(upstream, address, accept, gone.signal);
      if (!page) return void response.writeHead(404).end();
      const { bytes, artifacts } = page;
      const body = artifacts ? Buffer.concat([bytes, artifacts]) : bytes;
      const about = { 'content-type': page.type, 'x-url': page.url, 'content-length': body.length };
      response.writeHead(200, { ...about, ...(artifacts && { 'x-told': bytes.length }) }).end(body);
    } catch (error) {
      // The status tells which of the two errors of a page it is.
      const { message } = error as Error;
      response.writeHead(error instanceof TooLarge ? 413 : 502).end(message);
    }
  }

  /** It is not read on when nobody waits for it any more. */
  async #page(upstream: Upstream, address: URL, accept: string, signal: AbortSignal): Promise<Page | null> {
    signal.throwIfAborted();
    const key = `${accept} ${address.href}`;
    const now = performance.now();
    for (const [old, { until }] of this.#kept) if (until <= now) this.#kept.delete(old);
    const kept = this.#kept.get(key) ?? this.#ask(key, upstream, address, accept);
    kept.waiting++;
    const leave = () => {
      if (--kept.waiting > 0) return;
      kept.stop.abort();
      // Who asks from now on has another.
      if (kept.until === UNTIL_READ && this.#kept.get(key) === kept) this.#kept.delete(key);
    };
    signal.addEventListener('abort', leave);
    try {
      return await kept.page;
    } finally {
      signal.removeEventListener('abort', leave);
      if (!signal.aborted) kept.waiting--;
    }
  }

  #ask(key: string, upstream: Upstream, address: URL, accept: string): Kept {
    const stop = new AbortController();
    const { signal } = stop;
    const page = this.#inTurn(async () => {
      signal.throwIfAborted();
      const whole = await upstream.bytes(address, { accept, mostBytes: MAX_PAGE_BYTES, signal });
      const name = address.href.slice(upstream.base.href.length);
      return whole && (this.#shortened.get(upstream)?.(whole, name) ?? whole);
    });
    const kept: Kept = { page, waiting: 0, stop, bytes: 0, until: UNTIL_READ };
    this.#kept.set(key, kept);
    const settle = (found: Page | null) => {
      kept.bytes = found ? found.bytes.length + (found.artifacts?.length ?? 0) : 0;
      kept.until = found ? performance.now() + Math.min(KEPT_MS, found.freshMs) : 0;
      this.#makeRoom();
    };
    page.then(settle, () => settle(null));
    return kept;
  }

  #makeRoom(): void {
    let bytes = [...this.#kept.values()].reduce((sum, kept) => sum + kept.bytes, 0);
    for (const [key, kept] of this.#kept) {
      if (bytes <= this.#maxBytes) return;
      if (kept.bytes === 0) continue;
      this.#kept.delete(key);
      bytes -= kept.bytes;
    }
  }

  async #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#asking >= AT_ONCE) await new Promise<void>(resolve => this.#waiting.push(resolve));
    else this.#asking++;
    try {
      return await ask();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#asking--;
    }
  }
}
