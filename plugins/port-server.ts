import { type IncomingMessage, type RequestListener, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PortNames } from '../src/port-names.ts';
import { problem } from './problem.ts';

/** Answers requests to names of ports; an upgrade with the socket and what came behind its head. */
export type PortHandler = (
  label: string,
  request: IncomingMessage,
  response: ServerResponse,
  upgrade: { socket: Socket; head: Buffer } | null,
) => Promise<void>;

/** Between two looks whether the other end of a connection that speaks another protocol is there still, milliseconds. */
const KEEP_ALIVE_MS = 30_000;

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
    if (event === 'upgrade' && isAnswering(values[1])) {
      values[1].on('error', () => {});
      values[1].destroy();
      return true;
    }
    const request = values[0] as IncomingMessage;
    if (namesTwoHosts(request)) return refuseHosts(event === 'upgrade' ? null : values[1], request.socket);
    const label = this.#names.labelIn(request.headers.host);
    if (label === null) return super.emit(event, ...values);
    if (event !== 'upgrade') {
      const response = values[1] as ServerResponse;
      if (event === 'checkContinue') response.writeContinue();
      void this.#handle(label, request, response, null);
      return true;
    }
    const [, socket, head] = values as [IncomingMessage, Socket, Buffer];
    socket.on('error', () => {});
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const response = new ServerResponse(request);
    response.assignSocket(socket);
    // As the server of an upgraded connection does no more.
    socket.on('drain', () => response.emit('drain'));
    response.shouldKeepAlive = false;
    // Nobody reads it any more, so that its end would not be seen.
    response.once('finish', () => socket.destroySoon());
    void this.#handle(label, request, response, { socket, head });
    return true;
  }
}

/** Of two a proxy may have looked at the one that Node.js drops: the request could be meant for an origin that it guards otherwise. */
function namesTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.length === 4 && rawHeaders[i]!.toLowerCase() === 'host') hosts++;
  return hosts > 1;
}

/** As RFC 9112, 3.2 has it. `response`: null where there is none. */
function refuseHosts(response: ServerResponse | null, socket: Socket): true {
  if (!response) socket.on('error', () => {}).destroy();
  else {
    const { status, body } = problem('VALIDATION_ERROR', 'Host: must be given once');
    response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
    response.end(JSON.stringify(body));
  }
  return true;
}

/** An earlier request waits for its answer still: what is asked for behind it can have no turn, as the bytes are no HTTP from there on. */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  return Boolean(socket._httpMessage);
}
