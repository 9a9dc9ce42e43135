/** What V8 says of a value (Chrome's DevTools Protocol, Runtime.RemoteObject), as far as it is used here. */
export interface RemoteObject {
  readonly type: string;
  readonly subtype?: string;
  readonly value?: unknown;
  readonly unserializableValue?: string;
  readonly description?: string;
  readonly objectId?: string;
}

/** Lines and columns count from 0. */
export interface Location {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber?: number;
}

export interface CallFrame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: Location;
  readonly scopeChain: readonly {
    readonly type: string;
    readonly object: RemoteObject;
    readonly name?: string;
  }[];
  readonly this: RemoteObject;
}

/** The program refused, or has gone; the message is V8's. */
export class InspectorError extends Error {
  override readonly name = 'InspectorError';
}

// biome-ignore lint/suspicious/noExplicitAny: whatever V8 answers; it is of one version, and what it says stays in the sandbox
type Answer = any;

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: InspectorError): void;
}

/** A connection to the inspector of a program that runs on V8. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Events are told in order, those that came with the connection included. @throws {InspectorError} */
  static connect(url: string, onEvent: (method: string, params: Answer) => void): Promise<Inspector> {
    const socket = new WebSocket(url);
    const inspector = new Inspector(socket);
    socket.onmessage = ({ data }) => {
      const { id, result, error, method, params } = JSON.parse(data);
      if (id === undefined) return onEvent(method, params);
      const waiting = inspector.#waiting.get(id);
      inspector.#waiting.delete(id);
      if (error) waiting?.reject(new InspectorError(error.message));
      else waiting?.resolve(result);
    };
    return new Promise((resolve, reject) => {
      const gone = new InspectorError('The program has ended');
      socket.onopen = () => resolve(inspector);
      socket.onerror = () => reject(gone);
      socket.onclose = () => {
        reject(gone);
        for (const waiting of inspector.#waiting.values()) waiting.reject(gone);
        inspector.#waiting.clear();
      };
    });
  }

  /** @throws {InspectorError} */
  ask(method: string, params: object = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#socket.readyState !== WebSocket.OPEN)
        return reject(new InspectorError('The program has ended'));
      this.#waiting.set(++this.#id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id: this.#id, method, params }));
    });
  }

  /** Until then a program that has ended waits. */
  close(): void {
    this.#socket.close();
  }
}
