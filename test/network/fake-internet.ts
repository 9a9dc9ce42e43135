import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { answerTo, readQuery } from '../../src/network/egress/dns-message.ts';

/** Names and servers of this machine that stand for all others: a resolver that the test decides about, and servers on the loopback. */
export class FakeInternet implements AsyncDisposable {
  /** Address by name; a function is asked each time. */
  readonly names = new Map<string, string | (() => string | null)>();
  /** Questions for addresses of IPv4 that have come. */
  readonly asked: string[] = [];
  /** What its servers of HTTP were asked for, as host and path. */
  readonly requested: string[] = [];
  readonly #udp: UdpSocket;
  readonly #servers: Server[] = [];

  private constructor(udp: UdpSocket) {
    this.#udp = udp;
    udp.on('message', (bytes, from) => udp.send(this.#answer(bytes), from.port, from.address));
  }

  static async start(): Promise<FakeInternet> {
    const udp = createSocket('udp4');
    udp.bind(0, '127.0.0.1');
    await once(udp, 'listening');
    return new FakeInternet(udp);
  }

  /** As `CODEBEAKER_NETWORK_RESOLVERS` has it. */
  get resolver(): string {
    return `127.0.0.1:${this.#udp.address().port}`;
  }

  /** A server; resolves to its port. */
  async serve(server: Server): Promise<number> {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#servers.push(server);
    return (server.address() as AddressInfo).port;
  }

  /** One that answers HTTP with the request's own line, host and body, and WebSocket-like upgrades by repeating. */
  http(): Promise<number> {
    const server = createHttp((request, response) => {
      this.requested.push(`${request.headers.host}${request.url}`);
      let body = '';
      request.on('data', text => {
        body += text;
      });
      request.on('end', () =>
        response.end(`${request.method} ${request.url} ${request.headers.host} ${body}`),
      );
    });
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    return this.serve(server);
  }

  /** One that speaks first and repeats what is said. */
  echo(greeting = ''): Promise<number> {
    return this.serve(
      createServer({ allowHalfOpen: true }, socket => {
        socket.on('error', () => {});
        socket.write(greeting);
        socket.pipe(socket);
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#udp.close();
    for (const server of this.#servers) server.close();
  }

  #answer(bytes: Uint8Array): Uint8Array {
    const query = readQuery(bytes)!;
    if (query.type === 1) this.asked.push(query.name);
    const known = this.names.get(query.name);
    const address = typeof known === 'function' && query.type === 1 ? known() : known;
    if (typeof address !== 'string') return answerTo(query, known === undefined ? 3 : 0);
    if (query.type !== 1) return answerTo(query, 0);
    return answerTo(query, 0, Uint8Array.from(address.split('.'), Number));
  }
}
