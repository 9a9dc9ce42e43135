import { type Answer, InspectorError, type OnEvent } from './inspector.ts';

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: InspectorError): void;
}

/** Questions and answers over the WebSocket of an inspector, whatever they say. */
export class InspectorSocket {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #id = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  /** Events are told in order, those that came with the connection included. @throws {InspectorError} */
  static connect(socket: WebSocket, onEvent: OnEvent): Promise<InspectorSocket> {
    const inspector = new InspectorSocket(socket);
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

  close(): void {
    this.#socket.close();
  }
}
