import { CodeBeakerError, connectionLost, unreachable } from './codebeaker-error.ts';

/** Without a message for so long, the server is asked for a sign of life; without one for as long again, it is gone. */
const SILENCE_MS = 30_000;

interface Waiting {
  /** Called while the answer is read, before the next message is. */
  answered(result: unknown): void;
  failed(error: Error): void;
}

/** One WebSocket that speaks JSON-RPC. */
export class Link {
  readonly #end = Promise.withResolvers<never>();
  readonly #socket: WebSocket;
  readonly #tell: (method: string, params: unknown) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #watch: ReturnType<typeof setInterval>;
  #isOpen = true;
  #last = 0;
  #silent = 0;

  private constructor(socket: WebSocket, tell: (method: string, params: unknown) => void) {
    this.#socket = socket;
    this.#tell = tell;
    socket.onmessage = ({ data }) => this.#take(String(data));
    this.lost.catch(() => {});
    socket.onclose = () => this.#lost();
    this.#watch = setInterval(() => this.#listen(), SILENCE_MS);
  }

  /** Rejects with CONNECTION_LOST when nothing more can come. */
  get lost(): Promise<never> {
    return this.#end.promise;
  }

  /** @param url of the service, as of HTTP @throws {CodeBeakerError} UNREACHABLE */
  static async open(
    url: string,
    key: string | undefined,
    tell: (method: string, params: unknown) => void,
  ): Promise<Link> {
    const socket = opened(`${url.replace(/^http/, 'ws')}/ws/jsonrpc`, key);
    await new Promise<void>((resolve, reject) => {
      socket.onopen = () => resolve();
      // What is wrong, no WebSocket says.
      socket.onerror = event => reject(unreachable(url, (event as { error?: unknown }).error ?? event));
      socket.onclose = () => reject(unreachable(url, null));
    });
    socket.onerror = null;
    return new Link(socket, tell);
  }

  /** @param look sees the answer before anything that is told after it */
  call<T>(method: string, params: object, look: (result: T) => void = () => {}): Promise<T> {
    return new Promise((resolve, failed) => {
      if (!this.#isOpen) return failed(connectionLost());
      const id = ++this.#last;
      const answered = (result: unknown) => {
        look(result as T);
        resolve(result as T);
      };
      this.#waiting.set(id, { answered, failed });
      this.#socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  close(): void {
    this.#socket.close();
    // Where nobody answers any more, the socket would take its time.
    this.#lost();
  }

  #lost(): void {
    this.#isOpen = false;
    this.#socket.onmessage = null;
    clearInterval(this.#watch);
    for (const { failed } of this.#waiting.values()) failed(connectionLost());
    this.#waiting.clear();
    this.#end.reject(connectionLost());
  }

  #take(text: string): void {
    this.#silent = 0;
    const { id, method, params, result, error } = JSON.parse(text);
    if (method !== undefined) return this.#tell(method, params);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.failed(new CodeBeakerError(error.data?.code ?? 'ERROR', error.message, error.data));
    else waiting?.answered(result);
  }

  #listen(): void {
    this.#silent++;
    if (this.#silent > 1) this.close();
    else this.call('ping', {}).catch(() => {});
  }
}

/** Servers' runtimes send a key as a header. A web page can't, and offers it among its subprotocols. */
function opened(url: string, key: string | undefined): WebSocket {
  if (key === undefined) return new WebSocket(url);
  const withHeaders = WebSocket as unknown as new (url: string, options: object) => WebSocket;
  try {
    return new withHeaders(url, { headers: { authorization: `Bearer ${key}` } });
  } catch {
    return new WebSocket(url, ['codebeaker', `codebeaker.key.${base64url(key)}`]);
  }
}

function base64url(text: string): string {
  const bytes = Array.from(new TextEncoder().encode(text), byte => String.fromCharCode(byte));
  return btoa(bytes.join('')).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
