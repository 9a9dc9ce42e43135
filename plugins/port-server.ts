import { type IncomingMessage, type RequestListener, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { PortNames } from '../src/port-names.ts';

/** Answers requests to names of ports; an upgrade with the socket and what came behind its head. */
export type PortHandler = (
  label: string,
  request: IncomingMessage,
  response: ServerResponse,
  upgrade: { socket: Duplex; head: Buffer } | null,
) => Promise<void>;

/** The server of the API, in front of which names of ports are taken aside: nothing of the API sees a request to one of them. */
export class PortServer extends Server {
  readonly #names: PortNames;
  readonly #handle: PortHandler;

  constructor(names: PortNames, { handle, api }: { handle: PortHandler; api: RequestListener }) {
    super(api);
    this.#names = names;
    this.#handle = handle;
  }

  // biome-ignore lint/suspicious/noExplicitAny: that is how it is declared
  override emit(event: string, ...values: any[]): boolean {
    if (event !== 'request' && event !== 'checkContinue' && event !== 'upgrade')
      return super.emit(event, ...values);
    const request = values[0] as IncomingMessage;
    const label = this.#names.labelIn(request.headers.host);
    if (label === null) return super.emit(event, ...values);
    if (event !== 'upgrade') {
      const response = values[1] as ServerResponse;
      if (event === 'checkContinue') response.writeContinue();
      void this.#handle(label, request, response, null);
      return true;
    }
    const [, socket, head] = values as [IncomingMessage, Duplex, Buffer];
    socket.on('error', () => {});
    const response = new ServerResponse(request);
    response.assignSocket(socket as never);
    response.shouldKeepAlive = false;
    response.once('finish', () => socket.end());
    void this.#handle(label, request, response, { socket, head });
    return true;
  }
}
