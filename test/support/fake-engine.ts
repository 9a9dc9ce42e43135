import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const ID = 'f'.repeat(64);
const NOT_THERE = { message: 'no such thing' };
const ARCHITECTURE = process.arch === 'arm64' ? 'arm64' : 'amd64';

/** What an engine answers that has everything but the languages' images; by method and path, without the version and the query. */
const HONEST: readonly (readonly [RegExp, number, unknown])[] = [
  [/^GET \/_ping/, 200, 'OK'],
  [/^GET \/version/, 200, { Version: '1.2.3', Arch: ARCHITECTURE }],
  [
    /^GET \/info/,
    200,
    {
      ...{ OSType: 'linux', MemoryLimit: true, PidsLimit: true, CpuCfsQuota: true },
      SecurityOptions: ['name=seccomp,profile=default'],
    },
  ],
  [/^GET \/images\/codebeaker-empty\/json/, 200, { Id: ID, Config: null }],
  [/^GET \/images\/codebeaker-there-\w+\/json/, 200, { Id: ID, Config: { Env: ['A=b'] } }],
  [/^GET \/volumes\/\w/, 200, { Name: 'library', Mountpoint: '/nowhere' }],
  [/^GET \/volumes/, 200, { Volumes: null }],
  [/^POST \/volumes\/create/, 201, { Name: 'library', Mountpoint: '/nowhere' }],
  [/^POST \/containers\/create/, 201, { Id: ID }],
  [/^GET \/containers\/json/, 200, []],
  [/^PUT \/containers\/\w+\/archive/, 200, ''],
  [/^HEAD \/containers\/\w+\/archive/, 200, ''],
  [/^DELETE /, 204, ''],
];

/** A server on a socket of the file system that speaks as a Docker engine does, until it is told to misbehave. */
export class FakeEngine implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'fake-engine-'));
  readonly socket = join(this.directory, 'docker.sock');
  /** What it was asked, as `METHOD path`. */
  readonly asked: string[] = [];
  /** What answers instead, by a pattern of `METHOD path`. */
  misbehave: readonly [RegExp, Answer] | null = null;
  readonly #server: Server;
  readonly #events = new Set<ServerResponse>();
  readonly #connections = new Set<Duplex>();

  constructor() {
    this.#server = createServer((request, response) => {
      response.on('error', () => {});
      this.#answer(request, response);
    });
    this.#server.on('connection', connection => {
      this.#connections.add(connection);
      connection.on('error', () => {}).on('close', () => this.#connections.delete(connection));
    });
    // Attached streams; the socket is the answer's.
    this.#server.on('upgrade', (request, connection) => {
      const response = new ServerResponse(request);
      response.assignSocket(connection as Socket);
      response.on('finish', () => connection.end());
      this.#answer(request, response);
    });
    this.#server.listen(this.socket);
  }

  /** Says something to everybody who listens to its events. */
  tell(text: string): void {
    for (const response of this.#events) response.write(text);
  }

  /** Ends the events, as an engine does that stops: its clients begin anew. */
  hangUp(): void {
    for (const response of this.#events) response.destroy();
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
    rmSync(this.directory, { recursive: true });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const line = `${request.method} ${request.url}`;
    this.asked.push(line);
    request.resume();
    const [pattern, answer] = this.misbehave ?? [];
    if (pattern?.test(line)) return answer?.(request, response);
    if (line.startsWith('GET /events')) {
      this.#events.add(response);
      response.on('close', () => this.#events.delete(response));
      response.flushHeaders();
      return;
    }
    const [, status, body] = HONEST.find(([known]) => known.test(line)) ?? [null, 404, NOT_THERE];
    response.statusCode = status;
    response.setHeader('content-type', 'application/json');
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  }
}
