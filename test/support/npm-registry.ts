import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { type Headers, pack } from 'tar-stream';

export interface Published {
  readonly name: string;
  readonly version: string;
  readonly content: Buffer;
  /** What its page says of it, where that is more or not the truth. */
  readonly said?: Record<string, unknown>;
  readonly published?: string;
  /** Instead of sending it. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A registry of npm's on 127.0.0.1 that a test fills. */
export class NpmRegistryServer implements AsyncDisposable {
  readonly #published = new Map<string, Published[]>();
  /** Of every package, beside `latest`, which names what was added last. */
  tags: Readonly<Record<string, string>> = {};
  /** Paths that were asked for, with their methods. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      this.#answer(request, response);
    });
  }

  static async start(): Promise<NpmRegistryServer> {
    const registry = new NpmRegistryServer();
    registry.#server.listen(0, '127.0.0.1');
    await once(registry.#server, 'listening');
    return registry;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/`;
  }

  add(...packages: Published[]): void {
    for (const each of packages)
      this.#published.set(each.name, [...(this.#published.get(each.name) ?? []), each]);
  }

  withdraw(name: string): void {
    this.#published.delete(name);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const [, wanted] = /^tarballs\/(.+)\.tgz$/.exec(path) ?? [];
    const all = [...this.#published.values()].flat();
    const found = all.find(({ name, version }) => `${name}@${version}` === wanted);
    if (found?.answer) return found.answer(request, response);
    if (found) return void response.end(found.content);
    const versions = this.#published.get(path);
    if (!versions) return void response.writeHead(404).end();
    const page = {
      name: path,
      'dist-tags': { latest: versions.at(-1)!.version, ...this.tags },
      time: Object.fromEntries(versions.map(({ version, published }) => [version, published])),
      versions: Object.fromEntries(versions.map(each => [each.version, this.#described(each)])),
    };
    // What it has changes from one question to the next.
    response.setHeader('cache-control', 'no-cache');
    response.setHeader('content-type', 'application/json').end(JSON.stringify(page));
  }

  #described({ name, version, content, said = {} }: Published): object {
    const integrity = `sha512-${createHash('sha512').update(content).digest('base64')}`;
    const tarball = `${this.url}tarballs/${encodeURIComponent(`${name}@${version}`)}.tgz`;
    return { name, version, dist: { integrity, tarball }, ...said };
  }
}

/** A package of these files. `entries`: what no package of npm's own tool has. */
export async function published(
  name: string,
  version: string,
  files: Record<string, string>,
  {
    manifest = {},
    entries = [],
    ...more
  }: Partial<Published> & { manifest?: Record<string, unknown>; entries?: [Headers, string?][] } = {},
): Promise<Published> {
  const archive = pack();
  const all = { 'package.json': JSON.stringify({ name, version, ...manifest }), ...files };
  for (const [path, text] of Object.entries(all)) archive.entry({ name: `package/${path}` }, text);
  for (const [headers, text] of entries) archive.entry(headers, text);
  archive.finalize();
  return { name, version, content: gzipSync(await buffer(archive)), said: manifest, ...more };
}
