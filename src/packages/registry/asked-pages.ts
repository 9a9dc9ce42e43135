import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EcosystemName } from './protocol.ts';
import { type Page, TooLarge, Unreachable } from './upstream.ts';

/** Time for the process that keeps pages to begin, milliseconds; and of one try to the next. */
const BEGIN_MS = 3000;
const STEP_MS = 20;

/** Asks the process that keeps pages (kept-pages.ts) for one. */
export class AskedPages {
  readonly #socketPath: string;
  readonly #ecosystem: EcosystemName;
  readonly #beginsUntil = performance.now() + BEGIN_MS;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(socketPath: string, ecosystem: EcosystemName) {
    this.#socketPath = socketPath;
    this.#ecosystem = ecosystem;
  }

  /** Null where there is no such page; undefined where nobody keeps pages. @throws {Unreachable | TooLarge} */
  async get(address: URL, accept: string, mostBytes: number): Promise<Page | null | undefined> {
    const response = await this.#ask(address, accept);
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
    return { bytes: body, type: headers['content-type'] ?? '', url: String(headers['x-url']), freshMs: 0 };
  }

  async #ask(address: URL, accept: string): Promise<IncomingMessage | null> {
    for (;;) {
      try {
        const path = `/${this.#ecosystem}?${encodeURIComponent(address.href)}`;
        const where = { socketPath: this.#socketPath, agent: this.#agent };
        const asked = request({ ...where, path, headers: { accept } });
        asked.end();
        const [response] = await once(asked, 'response');
        return response;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code !== 'ENOENT' || performance.now() > this.#beginsUntil) return null;
      }
      await sleep(STEP_MS);
    }
  }
}
