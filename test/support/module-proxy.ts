import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { ChecksumLog } from './checksum-log.ts';
import { zip } from './zip.ts';

export interface PublishedModule {
  readonly path: string;
  readonly version: string;
  readonly goMod: string;
  readonly content: Buffer;
  /** Of the files in it. */
  readonly sum: string;
  readonly published?: string;
  /** Instead of sending the archive. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A module proxy on 127.0.0.1 that a test fills, and the checksum database of its modules, which it passes on. */
export class ModuleProxyServer implements AsyncDisposable {
  readonly #modules = new Map<string, PublishedModule[]>();
  readonly #log = new ChecksumLog();
  /** Paths that were asked for, with their methods. */
  readonly asked: string[] = [];
  /** Whether it passes the checksum database on, which else is asked itself. */
  passesChecksums = true;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      this.#answer(request, response);
    });
  }

  static async start(...modules: PublishedModule[]): Promise<ModuleProxyServer> {
    const proxy = new ModuleProxyServer();
    proxy.add(...modules);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/`;
  }

  /** What a server needs in its environment to install from here. */
  get env(): Record<string, string> {
    return { CODEBEAKER_INDEX_GO: this.url, GOSUMDB: `${this.#log.key} ${this.url}itself` };
  }

  add(...modules: PublishedModule[]): void {
    for (const module of modules) {
      const { path, version, sum, goMod } = module;
      this.#modules.set(path, [...(this.#modules.get(path) ?? []), module]);
      const of = `${escaped(path)}@${escaped(version)}`;
      this.#log.add(path, version, { files: sum, goMod: hash1({ 'go.mod': goMod }), escaped: of });
    }
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
    const asked = decodeURIComponent(request.url ?? '').slice(1);
    const [, passed, sums] = /^(sumdb\/sums\.test|itself)\/(.*)$/.exec(asked) ?? [];
    if (sums !== undefined) {
      if (passed !== 'itself' && !this.passesChecksums) return void response.writeHead(404).end();
      return send(response, sums === 'supported' ? '' : this.#log.answer(sums));
    }
    const [, path = '', what = ''] = /^(.+)\/(@latest|@v\/.+)$/.exec(asked) ?? [];
    const modules = [...this.#modules].find(([each]) => escaped(each) === path)?.[1] ?? [];
    if (what === '@v/list') return send(response, modules.map(each => `${each.version}\n`).join(''));
    const [, version, kind] = /^@v\/(.+)\.(info|mod|zip)$/.exec(what) ?? [];
    const module =
      what === '@latest' ? modules.at(-1) : modules.find(each => escaped(each.version) === version);
    if (!module) return void response.writeHead(404).end('nothing of that name');
    if (kind === 'mod') return send(response, module.goMod);
    if (kind === 'zip')
      return module.answer ? module.answer(request, response) : send(response, module.content);
    const { published = '2020-01-02T03:04:05Z' } = module;
    send(response, JSON.stringify({ Version: module.version, Time: published }));
  }
}

function send(response: ServerResponse, content: string | Buffer | null): void {
  if (content === null) return void response.writeHead(404).end();
  response.writeHead(200, { 'content-length': Buffer.byteLength(content) }).end(content);
}

function escaped(text: string): string {
  return text.replace(/[A-Z]/g, letter => `!${letter.toLowerCase()}`);
}

/** Hash 1 of go.dev/ref/mod#checksum-database. */
function hash1(files: Record<string, string>): string {
  const sha256 = createHash('sha256');
  for (const name of Object.keys(files).sort())
    sha256.update(`${createHash('sha256').update(files[name]!).digest('hex')}  ${name}\n`);
  return `h1:${sha256.digest('base64')}`;
}

/** A module of these files. `requires`: others, with their versions. `raw`: files that no archive of a module has, by their whole names. */
export function module(
  path: string,
  version: string,
  files: Record<string, string>,
  { requires = {}, go = '1.21', raw = {}, ...more }: ModuleOptions = {},
): PublishedModule {
  const lines = Object.entries(requires).map(([each, needed]) => `require ${each} ${needed}\n`);
  const goMod = `module ${path}\n\ngo ${go}\n${lines.join('')}`;
  const all = Object.entries({ 'go.mod': goMod, ...files });
  const archived = {
    ...Object.fromEntries(all.map(([name, text]) => [`${path}@${version}/${name}`, text])),
    ...raw,
  };
  return { path, version, goMod, content: zip(archived), sum: hash1(archived), ...more };
}

type ModuleOptions = Partial<PublishedModule> & {
  requires?: Record<string, string>;
  go?: string;
  raw?: Record<string, string>;
};
