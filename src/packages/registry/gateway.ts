import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { drained } from '../../wire/drained.ts';
import { type ArtifactCache, type Digest, WrongDigest } from './artifacts.ts';
import type { Facts } from './facts.ts';
import type { Artifact, Download, PackageIndex } from './package-index.ts';
import { type Answer, TooLarge, Unreachable, type Upstream } from './upstream.ts';

const MAX_HEADER_BYTES = 16 * 1024;
/** Of what stays what it is for as long as this process is there; one install may run its installer twice. */
const KEPT = { 'cache-control': 'max-age=600' };
const TYPE = 'application/octet-stream';
/** Of an artifact, both ends included (RFC 9110, section 14.1.2); any other range is answered by the whole. */
const RANGE = /^bytes=(\d{1,12})-(\d{1,12})$/;
/** For all of a request's head, milliseconds. */
const HEAD_MS = 10_000;

/** What an install is told of while it goes on. */
export interface Progress {
  readonly phase: 'resolve' | 'download';
  readonly package: string;
  readonly bytes: number | null;
  readonly totalBytes: number | null;
  readonly cached: boolean;
}

/**
 * What an installer inside a sandbox can reach: pages of an index and the artifacts they name, by GET, in plain HTTP over a stream of
 * the relay's. TLS, credentials, redirects and digests are on this side; every other path and method is refused.
 */
export class Gateway {
  readonly #server: Server;
  readonly #index: PackageIndex;
  readonly #upstream: Upstream;
  readonly #cache: ArtifactCache;
  readonly #facts: Facts;
  readonly #onProgress: (progress: Progress) => void;
  readonly #fetching = new Map<string, Promise<void>>();

  constructor(parts: {
    index: PackageIndex;
    upstream: Upstream;
    cache: ArtifactCache;
    facts: Facts;
    onProgress: (progress: Progress) => void;
  }) {
    this.#index = parts.index;
    this.#upstream = parts.upstream;
    this.#cache = parts.cache;
    this.#facts = parts.facts;
    this.#onProgress = parts.onProgress;
    this.#server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: HEAD_MS,
        requestTimeout: HEAD_MS,
        insecureHTTPParser: false,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.on('clientError', (_, socket) => socket.destroy());
    // CONNECT and upgrades have no listener: Node closes the first and takes the second for a plain request.
  }

  take(stream: Duplex): void {
    this.#server.emit('connection', stream);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {});
    try {
      request.resume();
      if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405);
      await this.#route(request, response);
    } catch (error) {
      this.#failed(error, response);
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = this.#index.find(request.url ?? '');
    const headOnly = request.method === 'HEAD';
    if (!found) return refuse(response, 404);
    if (found.kind === 'artifact') {
      const { range = '' } = request.headers;
      const inPart = found.readInParts && !headOnly && RANGE.test(range);
      return inPart ? this.#sendPart(found, response, range) : this.#send(found, response, headOnly);
    }
    if (found.kind === 'download') return this.#pass(found, response, headOnly);
    const { project, type } = found;
    if (project !== null)
      this.#onProgress({ phase: 'resolve', package: project, bytes: null, totalBytes: null, cached: false });
    const text = await found.text();
    if (text === null) return refuse(response, 404);
    response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(text), ...KEPT });
    response.end(headOnly ? undefined : text);
  }

  async #send(
    { name, digest, url, readInParts }: Artifact,
    response: ServerResponse,
    headOnly: boolean,
  ): Promise<void> {
    let kept = this.#cache.sizeOf(digest);
    let total = kept;
    const fetch = async () => {
      const answer = await this.#fetch(url, name ?? 'metadata');
      total = answer.length;
      return answer;
    };
    if (readInParts && kept === null) {
      await this.#fetchWhole(digest, fetch);
      kept = total = this.#cache.sizeOf(digest);
    }
    let bytes = 0;
    for await (const piece of this.#cache.read(digest, fetch, { again: readInParts })) {
      if (!response.headersSent)
        begin(response, total, { ...KEPT, ...(readInParts && { 'accept-ranges': 'bytes' }) });
      if (headOnly) break;
      bytes += piece.byteLength;
      if (name) this.#downloaded(name, bytes, total, kept !== null);
      if (response.destroyed) return;
      if (!response.write(piece)) await drained(response);
    }
    if (name) this.#facts.served.set(name, { digest, bytes });
    response.end();
  }

  /** For an installer that looks for what an artifact says of itself, and would otherwise read all that comes before. */
  async #sendPart({ name, digest, url }: Artifact, response: ServerResponse, range: string): Promise<void> {
    const fetch = () => this.#fetch(url, name ?? 'metadata');
    if (this.#cache.sizeOf(digest) === null) await this.#fetchWhole(digest, fetch);
    const total = this.#cache.sizeOf(digest);
    const [first, last] = RANGE.exec(range)!.slice(1).map(Number) as [number, number];
    if (total === null || first > last || last >= total) {
      response.setHeader('content-range', `bytes */${total ?? '*'}`);
      return refuse(response, 416);
    }
    response.writeHead(206, {
      'content-type': TYPE,
      'content-length': last + 1 - first,
      'content-range': `bytes ${first}-${last}/${total}`,
      ...KEPT,
    });
    let at = 0;
    // To the end of all: what was read is known to be the artifact's only then.
    let held: Uint8Array = Buffer.alloc(0);
    for await (const piece of this.#cache.read(digest, fetch, { again: true })) {
      const part = piece.subarray(Math.max(0, first - at), Math.max(0, last + 1 - at));
      at += piece.byteLength;
      if (response.destroyed) return;
      if (part.byteLength === 0) continue;
      if (held.byteLength > 0 && !response.write(held)) await drained(response);
      held = part;
    }
    response.end(held);
  }

  async #pass(download: Download, response: ServerResponse, headOnly: boolean): Promise<void> {
    const { name, url } = download;
    if (!(await download.allowed())) return refuse(response, 404);
    const answer = await this.#fetch(url, name);
    begin(response, answer.length);
    let bytes = 0;
    for await (const piece of this.#cache.pass(answer)) {
      if (headOnly) break;
      bytes += piece.byteLength;
      this.#downloaded(name, bytes, answer.length, false);
      if (response.destroyed) return;
      if (!response.write(piece)) await drained(response);
    }
    response.end();
  }

  /** @throws {Unreachable} */
  async #fetch(url: URL, name: string): Promise<Answer> {
    const answer = await this.#upstream.get(url, { 'accept-encoding': 'identity' });
    if (answer.status === 200) return answer;
    answer.cancel();
    throw new Unreachable(`${url.host} answered ${answer.status} for ${name}`);
  }

  #downloaded(name: string, bytes: number, totalBytes: number | null, cached: boolean): void {
    this.#onProgress({ phase: 'download', package: name, bytes, totalBytes, cached });
  }

  /** An installer reads the metadata of what has none of its own out of parts, or of the first bytes and hangs up, and asks again later. */
  #fetchWhole(digest: Digest, fetch: () => Promise<Answer>): Promise<void> {
    const fetching =
      this.#fetching.get(digest.hex) ??
      (async () => {
        for await (const _ of this.#cache.read(digest, fetch));
      })();
    this.#fetching.set(digest.hex, fetching);
    return fetching;
  }

  #failed(error: unknown, response: ServerResponse): void {
    const { message, code, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof WrongDigest)
      this.#facts.note('digest', `What a registry sent is not what its index names: ${message}`);
    else if (error instanceof TooLarge) this.#facts.note('too_large', `A registry sent ${message}`);
    else if (syscall)
      this.#facts.note('registry_unreachable', `What a registry sent could not be kept: ${code}`);
    else this.#facts.note('registry_unreachable', `A registry could not be read: ${message}`);
    // Cut off in the middle, it is not taken for whole.
    if (response.headersSent) response.destroy();
    else refuse(response, 502);
  }
}

function begin(response: ServerResponse, length: number | null, more: OutgoingHttpHeaders = {}): void {
  response.writeHead(200, {
    'content-type': TYPE,
    ...(length !== null && { 'content-length': length }),
    ...more,
  });
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}
