import { connectionLost, saidOf } from './codebeaker-error.ts';
import type { Http } from './http.ts';
import { openSocket } from './open-socket.ts';
import { Silence } from './silence.ts';

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
  readonly #silence: Silence;
  #isOpen = true;
  #last = 0;

  private constructor(socket: WebSocket, tell: (method: string, params: unknown) => void) {
    this.#socket = socket;
    this.#tell = tell;
    socket.onmessage = ({ data }) => {
      try {
        this.#take(String(data));
      } catch {
        // No server of ours says that.
        this.close();
      }
    };
    this.lost.catch(() => {});
    socket.onclose = () => this.#lost();
    const ask = () => void this.call('ping', {}).catch(() => {});
    this.#silence = new Silence(ask, () => this.close());
  }

  /** Rejects with CONNECTION_LOST when nothing more can come. */
  get lost(): Promise<never> {
    return this.#end.promise;
  }

  /** @throws {CodeBeakerError} UNREACHABLE, or the signal's reason */
  static async open(
    http: Http,
    tell: (method: string, params: unknown) => void,
    signal?: AbortSignal,
  ): Promise<Link> {
    return new Link(await openSocket(http, '/ws/jsonrpc', signal), tell);
  }

  /** @param look sees the answer before anything that is told after it */
  call<T>(method: string, params: object, look: (result: T) => void = () => {}): Promise<T> {
    return new Promise((resolve, failed) => {
      if (!this.#isOpen) return failed(connectionLost());
      const id = ++this.#last;
      const answered = (result: unknown) => {
        try {
          look(result as T);
          resolve(result as T);
        } catch (error) {
          failed(connectionLost(error));
        }
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
    this.#silence[Symbol.dispose]();
    for (const { failed } of this.#waiting.values()) failed(connectionLost());
    this.#waiting.clear();
    this.#end.reject(connectionLost());
  }

  #take(text: string): void {
    this.#silence.broken();
    const { id, method, params, result, error } = JSON.parse(text);
    if (method !== undefined) return this.#tell(method, params);
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.failed(saidOf(error));
    else waiting?.answered(result);
  }
}
