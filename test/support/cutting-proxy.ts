import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** Stands between a client and a server, and cuts their connections when it is told to. */
export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #refuses = false;
  /** Connections that came, refused ones included. */
  connections = 0;

  private constructor(to: string) {
    const { hostname, port } = new URL(to);
    this.#server = createServer({ noDelay: true }, socket => {
      this.connections++;
      socket.on('error', () => {});
      if (this.#refuses) return socket.destroy();
      const onward = connect({ host: hostname, port: Number(port), noDelay: true });
      onward.on('error', () => {});
      socket.on('close', () => onward.destroy());
      onward.on('close', () => socket.destroy());
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.pipe(onward).pipe(socket);
    });
  }

  static async open(to: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(to);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts what there is, in both directions at once; `refuse`: and what comes, until it is mended. */
  cut({ refuse = false } = {}): void {
    this.#refuses = refuse;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#refuses = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut({ refuse: true });
    this.#server.close();
    await once(this.#server, 'close');
  }
}
