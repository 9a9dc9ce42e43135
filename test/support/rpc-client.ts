import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { checkNotification, checkResult } from './contract.ts';

/** An error that the service answered with. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: number;
  readonly data: Record<string, unknown>;
  constructor(error: { code: number; message: string; data?: unknown }) {
    super(error.message);
    this.code = error.code;
    this.data = (error.data ?? {}) as Record<string, unknown>;
  }
}

export interface Notification {
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
  readonly params: any;
}

interface Waiter {
  look(): boolean;
  timer: NodeJS.Timeout;
}

const WAIT_MS = 100_000;

/** A JSON-RPC 2.0 client over one WebSocket, which also sends what a well-behaved client never would. */
export class RpcClient {
  readonly socket: WebSocket;
  readonly notifications: Notification[] = [];
  /** Messages that are neither a notification nor the answer to a call of this client. */
  readonly strays: unknown[] = [];
  closed: { code: number; reason: string } | undefined;
  #nextId = 1;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
  readonly #calls = new Map<number, { answered(message: any): void; lost(reason: Error): void }>();
  readonly #waiters = new Set<Waiter>();

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', data => this.#take(JSON.parse(String(data))));
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      for (const { lost } of this.#calls.values()) lost(new Error(`the socket closed: ${code} ${reason}`));
      this.#calls.clear();
      this.#wake();
    });
    socket.on('error', () => {});
  }

  static async connect(wsUrl: string, options: ClientOptions = {}): Promise<RpcClient> {
    const socket = new WebSocket(wsUrl, { perMessageDeflate: false, ...options });
    const client = new RpcClient(socket);
    await once(socket, 'open');
    return client;
  }

  /** Sends a request and gives its id at once, so that it can be cancelled. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
  request(method: string, params?: unknown): { id: number; reply: Promise<any> } {
    const id = this.#nextId++;
    // biome-ignore lint/suspicious/noExplicitAny: as above
    const reply = new Promise<any>((resolve, lost) => {
      if (this.closed) return lost(new Error('the socket is closed'));
      // biome-ignore lint/suspicious/noExplicitAny: as above
      const answered = (message: any) => {
        if (message.error) return lost(new RpcError(message.error));
        try {
          checkResult(method, message.result);
          resolve(message.result);
        } catch (error) {
          lost(error as Error);
        }
      };
      this.#calls.set(id, { answered, lost });
    });
    reply.catch(() => {});
    this.send(JSON.stringify({ jsonrpc: '2.0', id, method, ...(params !== undefined && { params }) }));
    return { id, reply };
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
  call(method: string, params?: unknown): Promise<any> {
    return this.request(method, params).reply;
  }

  /** Resolves to the error that the call is expected to be answered with. */
  async refused(method: string, params?: unknown): Promise<RpcError> {
    const result = await this.call(method, params).catch((error: unknown) => error);
    if (result instanceof RpcError) return result;
    throw new Error(`expected an error, got ${JSON.stringify(result)}`);
  }

  notify(method: string, params?: unknown): void {
    this.send(JSON.stringify({ jsonrpc: '2.0', method, ...(params !== undefined && { params }) }));
  }

  send(text: string): void {
    this.socket.send(text);
  }

  /** Sends a text and resolves to the next message that answers it. */
  async exchange(text: string): Promise<unknown> {
    const before = this.strays.length;
    this.send(text);
    await this.until(() => this.strays.length > before);
    return this.strays[before];
  }

  /** Resolves to the first notification, past or future, that fits. */
  async notified(fits: (n: Notification) => boolean): Promise<Notification> {
    await this.until(() => this.notifications.some(fits));
    return this.notifications.find(fits)!;
  }

  /** Resolves once `look` is true; it is asked again after each message. */
  until(look: () => boolean, ms = WAIT_MS): Promise<void> {
    if (look()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        look: () => {
          if (!look()) return false;
          clearTimeout(waiter.timer);
          resolve();
          return true;
        },
        timer: setTimeout(() => {
          this.#waiters.delete(waiter);
          reject(new Error(`waited ${ms} ms in vain; ${this.notifications.length} notifications came`));
        }, ms),
      };
      this.#waiters.add(waiter);
    });
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.socket.close();
    await this.until(() => this.closed !== undefined);
  }

  // biome-ignore lint/suspicious/noExplicitAny: tests look into what a service sent
  #take(message: any): void {
    const call = this.#calls.get(message.id);
    if (call && message.method === undefined) {
      this.#calls.delete(message.id);
      call.answered(message);
    } else if (message.method !== undefined) {
      checkNotification(message.method, message.params);
      this.notifications.push(message);
    } else this.strays.push(message);
    this.#wake();
  }

  #wake(): void {
    for (const waiter of this.#waiters) if (waiter.look()) this.#waiters.delete(waiter);
  }
}
