import { randomUUID } from 'node:crypto';
import type { JSONRPCErrorResponse, JSONRPCRequest, JSONRPCResponse } from 'json-rpc-2.0';
import type { ExecutionEvent } from '../schemas/events.ts';
import type { Call, CallLog } from '../service/call.ts';
import { Batch } from './batch.ts';
import type { Dispatcher } from './dispatcher.ts';
import {
  encode,
  failure,
  invalidRequest,
  isRequest,
  MAX_BATCH,
  PARSE_ERROR,
  readMessage,
  readRequest,
} from './envelope.ts';
import { InFlight } from './in-flight.ts';
import type { RequestContext } from './method.ts';
import { type Replay, SessionFeed } from './session-feed.ts';
import { Turns } from './turns.ts';

/** The way out of a connection that stays open. */
export interface Outlet {
  /** Hands a text over, in order; what it returns resolves when there is room for more. */
  send(text: string): void | Promise<void>;
  /** Resolves when there is room for more: work whose answer would only pile up waits for it. */
  room(): void | Promise<void>;
}

export interface ConnectionOptions {
  readonly owner: string | null;
  readonly client: string;
  readonly log: CallLog & { child(bindings: object): CallLog };
  /** Null for HTTP, where an answer is all there is. */
  readonly outlet: Outlet | null;
  /** @throws {ServiceError} RATE_LIMITED */
  readonly admit?: () => void;
}

/** A session's events on their way to a connection; nothing flows before `start`. */
export type Following = Replay & { readonly feed: SessionFeed };

/** One client of the JSON-RPC door, from its first message until it goes away. Knows no socket. */
export class Connection {
  readonly #lane = randomUUID();
  /** The session that `fs.*` mean when they name none: the one created last. */
  lastSession: string | null | Promise<string | null> = null;
  /** False when an initializing client did not ask for notifications. */
  streaming = true;
  readonly #dispatcher: Dispatcher;
  readonly #options: ConnectionOptions;
  readonly #inFlight = new InFlight();
  readonly #feeds = new Map<string, SessionFeed>();
  readonly #lines = new Turns();
  readonly #requests = new Turns();

  constructor(dispatcher: Dispatcher, options: ConnectionOptions) {
    this.#dispatcher = dispatcher;
    this.#options = options;
  }

  /** Whether it stays open, so that notifications can reach it. */
  get live(): boolean {
    return this.#options.outlet !== null;
  }

  /** Requests that have no answer yet. */
  get pending(): number {
    return this.#inFlight.size;
  }

  /** Takes one message of a live connection; resolves when its answers are on their way and there is room for more. */
  async receive(text: string): Promise<void> {
    const values = readMessage(text);
    if (!values) return void (await this.#send(JSON.stringify(PARSE_ERROR)));
    await this.#lines.take(values, value => this.#reply(value));
  }

  /** Takes one message and resolves to its answer; null when none is due. */
  async answer(text: string): Promise<string | null> {
    const values = readMessage(text);
    if (values?.length !== 1) return JSON.stringify(PARSE_ERROR);
    return this.#handle(values[0], []);
  }

  /** The client is gone: what only it was waiting for ends; sessions and their commands live on. */
  close(): void {
    this.#inFlight.leave();
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  /** Ends a request in flight. Unknown ids are no error: the answer may be on its way. */
  cancel(id: string | number | null): boolean {
    return this.#inFlight.cancel(id);
  }

  notify(event: ExecutionEvent): void | Promise<void> {
    return this.#send(JSON.stringify({ jsonrpc: '2.0', method: event.method, params: event.params }));
  }

  room(): void | Promise<void> {
    return this.#options.outlet?.room();
  }

  /** The feed of a session to this connection, opened if it is not yet. See {@link SessionFeed.open}. */
  async follow(
    sessionId: string,
    afterSeq: number | null,
    { service, call }: RequestContext,
  ): Promise<Following> {
    const known = this.#feeds.get(sessionId);
    const feed =
      known ??
      new SessionFeed(
        service,
        sessionId,
        call,
        event => this.notify(event),
        ended => {
          if (this.#feeds.get(sessionId) === ended) this.#feeds.delete(sessionId);
        },
      );
    // Known before it is open, so that whoever asks meanwhile waits for the same one.
    this.#feeds.set(sessionId, feed);
    return { ...(await feed.open(afterSeq)), feed };
  }

  async #reply(value: unknown): Promise<void> {
    const after: (() => void)[] = [];
    const text = await this.#handle(value, after);
    const room = text === null ? undefined : this.#send(text);
    for (const task of after) task();
    await room;
  }

  #send(text: string): void | Promise<void> {
    return this.#options.outlet?.send(text);
  }

  /** One request or batch → the text of its answer. */
  async #handle(value: unknown, after: (() => void)[]): Promise<string | null> {
    if (!Array.isArray(value)) {
      const [answer = null] = await this.#requests.take([value], only => this.#one(only, after));
      return answer;
    }
    if (value.length === 0) return JSON.stringify(invalidRequest(null));
    if (value.length > MAX_BATCH) {
      return JSON.stringify(failure(null, -32600, `Invalid Request: a batch of more than ${MAX_BATCH}`));
    }
    const batch = new Batch();
    await this.#requests.take(value, async item => batch.add(await this.#one(item, after), item));
    return batch.text();
  }

  async #one(value: unknown, after: (() => void)[]): Promise<string | null> {
    const read = readRequest(value);
    const response = isRequest(read) ? await this.#dispatch(read, after) : read;
    return response && encode(response);
  }

  async #dispatch(
    request: JSONRPCRequest,
    after: (() => void)[],
  ): Promise<JSONRPCResponse | JSONRPCErrorResponse | null> {
    const entry = this.#inFlight.enter(request.id, this.#dispatcher.endsWithConnection(request.method));
    const { owner, client, log, admit } = this.#options;
    const id = randomUUID();
    const { signal } = entry;
    const call: Call = { id, owner, client, lane: this.#lane, signal, log: log.child({ callId: id }) };
    try {
      return await this.#dispatcher.dispatch(request, {
        connection: this,
        call,
        after: task => after.push(task),
        admit,
      });
    } finally {
      this.#inFlight.exit(entry);
    }
  }
}
