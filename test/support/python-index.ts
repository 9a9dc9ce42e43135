import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { machinePythonIndex } from '../../src/packages/machine-settings.ts';
import { zip } from './zip.ts';

const JSON_TYPE = 'application/vnd.pypi.simple.v1+json';

export interface IndexedFile {
  readonly filename: string;
  readonly content: Buffer;
  /** What the page says of it, where that is not the truth. */
  readonly said?: Record<string, unknown>;
  /** Instead of sending it. */
  readonly answer?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** A Python index on 127.0.0.1 that a test fills; of uv it has what this machine's own index has. */
export class PythonIndexServer implements AsyncDisposable {
  readonly projects = new Map<string, IndexedFile[]>();
  /** Paths that were asked for, with their methods. */
  readonly asked: string[] = [];
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url}`);
      void this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<PythonIndexServer> {
    const index = new PythonIndexServer();
    index.#server.listen(0, '127.0.0.1');
    await once(index.#server, 'listening');
    return index;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as { port: number }).port}/simple/`;
  }

  add(project: string, ...files: IndexedFile[]): void {
    this.projects.set(project, [...(this.projects.get(project) ?? []), ...files]);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, kind, name = ''] = /^\/(simple|files)\/([^/]+)\/?$/.exec(request.url ?? '') ?? [];
    if (kind === 'simple' && name === 'uv') return send(response, await machineUv());
    const files = [...this.projects].flatMap(([project, all]) =>
      kind === 'files' || project === name ? all : [],
    );
    if (kind === 'simple' && this.projects.has(name))
      return send(
        response,
        JSON.stringify({ meta: { 'api-version': '1.1' }, name, files: files.map(described) }),
      );
    const file = files.find(({ filename }) => filename === name);
    if (kind !== 'files' || !file) return void response.writeHead(404).end();
    if (file.answer) return file.answer(request, response);
    response.writeHead(200, { 'content-length': file.content.byteLength }).end(file.content);
  }
}

function send(response: ServerResponse, page: string): void {
  response.writeHead(200, { 'content-type': JSON_TYPE }).end(page);
}

async function machineUv(): Promise<string> {
  const url = new URL('uv/', machinePythonIndex(process.env));
  return (await fetch(url, { headers: { accept: JSON_TYPE } })).text();
}

function described({ filename, content, said = {} }: IndexedFile): object {
  return { filename, url: `../../files/${filename}`, hashes: { sha256: sha256(content, 'hex') }, ...said };
}

const sha256 = (content: Uint8Array, encoding: 'hex' | 'base64url') =>
  createHash('sha256').update(content).digest(encoding);

/** A wheel for any Python. `record` takes what its RECORD would be. */
export function wheel(
  name: string,
  version: string,
  files: Record<string, string>,
  record: (lines: string[]) => string[] = lines => lines,
): IndexedFile {
  const info = `${name}-${version}.dist-info`;
  const all: Record<string, string> = {
    [`${info}/METADATA`]: `Metadata-Version: 2.1\nName: ${name}\nVersion: ${version}\n`,
    [`${info}/WHEEL`]: 'Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n',
    ...files,
  };
  const lines = Object.entries(all).map(([path, text]) => {
    const content = Buffer.from(text);
    return `${path},sha256=${sha256(content, 'base64url')},${content.byteLength}`;
  });
  all[`${info}/RECORD`] = `${record([...lines, `${info}/RECORD,,`]).join('\n')}\n`;
  return { filename: `${name}-${version}-py3-none-any.whl`, content: zip(all) };
}
