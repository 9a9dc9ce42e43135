import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EcosystemName } from './protocol.ts';
import { type Page, TooLarge, Unreachable } from './upstream.ts';

/** Time for the process that keeps pages to begin, milliseconds; and of one try to the next. */
const BEGIN_MS = 3000;
const STEP_MS = 20;
/** Until it says that it has heard, milliseconds. */
const HEARD_MS = 2000;
/** For a page, milliseconds: more than a registry is waited for that answers at all. */
const PATIENCE_MS = 15_000;

interface Asking {
  readonly accept: string;
  readonly signal: AbortSignal;
  readonly onAsked: () => void;
  readonly onHeard: () => void;
}

/** Asks the process that keeps pages (kept-pages.ts) for one, until it has not answered in time: it may hang. */
export class AskedPages {
  readonly #socketPath: string;
  readonly #ecosystem: EcosystemName;
  readonly #beginsUntil = performance.now() + BEGIN_MS;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #heardMs: number;
  readonly #patienceMs: number;
  #hangs = false;

  constructor(
    socketPath: string,
    ecosystem: EcosystemName,
    { heardMs = HEARD_MS, patienceMs = PATIENCE_MS } = {},
  ) {
    this.#socketPath = socketPath;
    this.#ecosystem = ecosystem;
    this.#heardMs = heardMs;
    this.#patienceMs = patienceMs;
  }

  /** Null where there is no such page; undefined where nobody keeps pages. @throws {Unreachable | TooLarge} */
  async get(address: URL, accept: string, mostBytes: number): Promise<Page | null | undefined> {
    if (this.#hangs) return undefined;
    const late = new AbortController();
    const hangs = () => {
      this.#hangs = true;
      late.abort();
    };
    const { signal } = late;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await this.#get(address, {
        ...{ accept, mostBytes, signal },
        onAsked: () => {
          timer = setTimeout(hangs, this.#heardMs);
        },
        onHeard: () => {
          clearTimeout(timer);
          timer = setTimeout(hangs, this.#patienceMs);
        },
      });
    } finally {
      clearTimeout(timer);
    }
  }

  async #get(
    address: URL,
    { mostBytes, ...how }: Asking & { mostBytes: number },
  ): Promise<Page | null | undefined> {
    const response = await this.#ask(address, how);
    if (!response) return undefined;
    const pieces: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const piece of response) {
        bytes += piece.length;
        if (bytes > mostBytes) throw new TooLarge(`an index of more than ${mostBytes} bytes`);
        pieces.push(piece);
      }
    } catch (error) {
      if (error instanceof TooLarge) throw error;
      return undefined;
    }
    const body = Buffer.concat(pieces);
    const { statusCode, headers } = response;
    if (statusCode === 404) return null;
    if (statusCode === 413) throw new TooLarge(body.toString());
    if (statusCode === 502) throw new Unreachable(body.toString());
    if (statusCode !== 200) return undefined;
    const told = Number(headers['x-told'] ?? Number.NaN);
    return {
      bytes: Number.isNaN(told) ? body : body.subarray(0, told),
      type: headers['content-type'] ?? '',
      url: String(headers['x-url']),
      freshMs: 0,
      artifacts: Number.isNaN(told) ? undefined : body.subarray(told),
    };
  }

  async #ask(address: URL, { accept, signal, onAsked, onHeard }: Asking): Promise<IncomingMessage | null> {
    for (;;) {
      try {
        const path = `/${this.#ecosystem}?${encodeURIComponent(address.href)}`;
        const where = { socketPath: this.#socketPath, agent: this.#agent };
        const asked = request({ ...where, path, headers: { accept }, signal });
        // Also when it has been answered: who reads that is told.
        asked.on('error', () => {});
        asked.once('socket', socket => (socket.connecting ? socket.once('connect', onAsked) : onAsked()));
        asked.once('information', onHeard);
        asked.end();
        const [response] = await once(asked, 'response');
        onHeard();
        return response;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' || performance.now() > this.#beginsUntil) return null;
      }
      await sleep(STEP_MS);
    }
  }
}
