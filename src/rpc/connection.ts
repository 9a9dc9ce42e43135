import { randomUUID } from 'node:crypto';
import type { JSONRPCErrorResponse, JSONRPCID, JSONRPCRequest, JSONRPCResponse } from 'json-rpc-2.0';
import { logAbout } from '../call-log.ts';
import { cancelled, ERRORS } from '../errors.ts';
import { answerFits } from '../schemas/answer-fits.ts';
import type { ExecutionEvent } from '../schemas/events.ts';
import { FEATURE_NAMES, type Feature } from '../schemas/features.ts';
import type { FileEvent } from '../schemas/file-events.ts';
import { LIMITS } from '../schemas/limits.ts';
import type { PortEvent } from '../schemas/ports.ts';
import type { Call, CallLog } from '../service/call.ts';
import { LARGE_BYTES, standBack } from '../wire/turns.ts';
import { AnswerRoom, type ClientRoom } from './answer-room.ts';
import { Batch } from './batch.ts';
import { Batcher } from './batcher.ts';
import type { Dispatcher } from './dispatcher.ts';
import {
  encode,
  failure,
  invalidRequest,
  isRequest,
  PARSE_ERROR,
  readMessage,
  readRequest,
} from './envelope.ts';
import { InFlight } from './in-flight.ts';
import { encodeLarge } from './large-answer.ts';
import type { ClientConnection, RequestContext } from './method.ts';
import { rpcError } from './rpc-error.ts';
import { type Following, SessionFeed } from './session-feed.ts';

/** Sends messages on a connection that stays open. */
export interface Outlet {
  /**
   * Sends a text, or its UTF-8, whose memory is its own from then on, in order; calls `gone` when it has been handed to the operating
   * system. Resolves when there is room for more. `bytes`: of the text, where they are known.
   */
  send(text: string | Buffer, gone: () => void, bytes?: number): void | Promise<void>;
  /** Resolves when there is room for more. Work whose answer would only pile up waits for it. */
  room(): void | Promise<void>;
}

export interface ConnectionOptions {
  readonly owner: string | null;
  readonly client: string;
  readonly log: CallLog;
  /** Null for HTTP, where there are no notifications. */
  readonly outlet: Outlet | null;
  /** @throws {ServiceError} RATE_LIMITED */
  readonly admit?: () => void;
}

/** One client of the JSON-RPC door, from its first message until it goes away. Knows no socket. */
export class Connection implements ClientConnection {
  readonly #lane = randomUUID();
  lastSession: string | null | Promise<string | null> = null;
  #features: ReadonlySet<Feature> = new Set(FEATURE_NAMES);
  readonly #dispatcher: Dispatcher;
  readonly #options: ConnectionOptions;
  readonly #inFlight = new InFlight();
  readonly #feeds = new Map<string, SessionFeed>();
  readonly #lines = new Batcher();
  readonly #requests = new Batcher();
  readonly #room: ClientRoom;
  #gone = false;
  #watching = new AbortController();
  /** Tail of the requests that only read; see {@link Method.reads}. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(dispatcher: Dispatcher, options: ConnectionOptions, room = new AnswerRoom()) {
    this.#dispatcher = dispatcher;
    this.#options = options;
    this.#room = room.open();
  }

  get live(): boolean {
    return this.#options.outlet !== null;
  }

  /** Requests that have no answer yet. */
  get pending(): number {
    return this.#inFlight.size;
  }

  /**
   * Handles one message of a live connection, a text or its UTF-8, whose memory is spent then. Resolves when its answers have been sent and
   * there is room for more.
   */
  async receive(message: string | Buffer): Promise<void> {
    if (message.length < LARGE_BYTES) standBack();
    const values = readMessage(message);
    if (!values) return void (await this.#send(JSON.stringify(PARSE_ERROR)));
    const reply = (value: unknown) => this.#reply(value);
    await (values.length === 1 ? this.#lines.one(values[0], reply) : this.#lines.run(values, reply));
  }

  /** Handles one message and resolves to its answer; null when none is due. */
  async answer(text: string): Promise<string | null> {
    const values = readMessage(text);
    if (values?.length !== 1) return JSON.stringify(PARSE_ERROR);
    const answer = await this.#handle(values[0], []);
    answer?.gone();
    return answer && String(answer.text);
  }

  /** Ends what only this client was waiting for. Sessions and their commands live on. */
  close(): void {
    this.#gone = true;
    this.#watching.abort();
    this.#inFlight.leave();
    this.#room.close();
    this.#closeFeeds();
  }

  #closeFeeds(): void {
    for (const feed of this.#feeds.values()) feed.close();
    this.#feeds.clear();
  }

  get features(): ReadonlySet<Feature> {
    return this.#features;
  }

  request(features: ReadonlySet<Feature>): void {
    this.#features = features;
    if (!features.has('Streaming')) this.#closeFeeds();
    if (features.has('FileWatch')) return;
    this.#watching.abort();
    this.#watching = new AbortController();
  }

  cancel(id: string | number | null): boolean {
    return this.#inFlight.cancel(id);
  }

  get watching(): AbortSignal {
    return this.#watching.signal;
  }

  notify(event: ExecutionEvent | FileEvent | PortEvent): void | Promise<void> {
    return this.#send(JSON.stringify({ jsonrpc: '2.0', method: event.method, params: event.params }));
  }

  room(): void | Promise<void> {
    return this.#options.outlet?.room();
  }

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
    // Stored before it is open, so that concurrent calls share it.
    this.#feeds.set(sessionId, feed);
    return { ...(await feed.open(afterSeq)), feed };
  }

  async #reply(value: unknown): Promise<void> {
    const after: (() => void)[] = [];
    const answer = await this.#handle(value, after);
    const room = answer ? this.#options.outlet?.send(answer.text, answer.gone, answer.bytes) : undefined;
    for (const task of after) task();
    await room;
  }

  #send(text: string): void | Promise<void> {
    const bytes = Buffer.byteLength(text);
    return this.#options.outlet?.send(text, this.#room.take(bytes), bytes);
  }

  /** One request or batch → its answer. */
  #handle(value: unknown, after: (() => void)[]): Promise<Built | null> {
    if (Array.isArray(value)) return this.#handleBatch(value, after);
    return this.#requests.one(value, only => this.#one(only, after, null));
  }

  async #handleBatch(value: readonly unknown[], after: (() => void)[]): Promise<Built | null> {
    if (value.length === 0) return this.#built(JSON.stringify(invalidRequest(null)));
    if (value.length > LIMITS.batchRequests) {
      const refused = failure(null, -32600, `Invalid Request: a batch of more than ${LIMITS.batchRequests}`);
      return this.#built(JSON.stringify(refused));
    }
    const batch = new Batch();
    const parts: Built[] = [];
    await this.#requests.run(value, async item => {
      const answer = await this.#one(item, after, batch);
      if (answer) parts.push(answer);
    });
    const text = batch.text();
    const gone = () => {
      for (const part of parts) part.gone();
    };
    return text === null ? null : { text, bytes: Buffer.byteLength(text), gone };
  }

  async #one(value: unknown, after: (() => void)[], batch: Batch | null): Promise<Built | null> {
    const read = readRequest(value);
    if (!isRequest(read)) return this.#encode(read, batch);
    const entry = this.#inFlight.enter(read.id, this.#dispatcher.endsWithConnection(read));
    const dispatch = () => this.#dispatch(read, entry.signal, after);
    try {
      if (this.#dispatcher.reads(read.method)) {
        const answer = async () => this.#encodeAny(await dispatch(), batch);
        return await this.#afterReads(read, entry.signal, batch, answer);
      }
      return this.#encodeAny(await dispatch(), batch);
    } finally {
      this.#inFlight.exit(entry);
    }
  }

  /** Runs a request that only reads after earlier ones have been answered, or refuses it. */
  async #afterReads(
    { id }: JSONRPCRequest,
    signal: AbortSignal,
    batch: Batch | null,
    answer: () => Promise<Built | null>,
  ): Promise<Built | null> {
    const answered = this.#reading.then(async () => {
      if (!batch) await this.room();
      if (this.#gone) return null;
      const refused = signal.aborted ? rpcError(id ?? null, cancelled()) : batch?.full && noRoom(id ?? null);
      if (!refused) return answer();
      return id === undefined ? null : this.#encode(refused, batch);
    });
    this.#reading = answered.catch(() => {});
    return answered;
  }

  #encodeAny(response: JSONRPCResponse | JSONRPCErrorResponse | null, batch: Batch | null): Built | null {
    return response && this.#encode(response, batch);
  }

  /**
   * Encodes an answer. One that does not fit is replaced by an error: this client, or all together, must read
   * on first.
   */
  #encode(response: JSONRPCResponse | JSONRPCErrorResponse, batch: Batch | null): Built {
    const left = Math.min(this.#room.left, batch?.left ?? Number.POSITIVE_INFINITY);
    const fits = answerFits(response.result, left);
    const large = fits && !batch && this.live ? encodeLarge(response) : null;
    if (large && large.length <= left) return this.#built(large, large.length);
    let text = fits && !large ? encode(response) : null;
    let bytes = text === null ? Number.POSITIVE_INFINITY : Buffer.byteLength(text);
    if (text === null || (response.error === undefined && bytes > left)) {
      if (batch) batch.full = true;
      text = JSON.stringify(noRoom(response.id));
      bytes = Buffer.byteLength(text);
    }
    batch?.add(text);
    return this.#built(text, bytes);
  }

  /** `bytes`: of the text; to count those of 10 MB takes milliseconds. */
  #built(text: string | Buffer, bytes = Buffer.byteLength(text)): Built {
    return { text, bytes, gone: this.#room.take(bytes) };
  }

  #dispatch(
    request: JSONRPCRequest,
    signal: AbortSignal,
    after: (() => void)[],
  ): PromiseLike<JSONRPCResponse | JSONRPCErrorResponse | null> {
    const { owner, client, log, admit } = this.#options;
    const id = randomUUID();
    const call: Call = { id, owner, client, lane: this.#lane, signal, log: logAbout(log, { callId: id }) };
    return this.#dispatcher.dispatch(request, {
      connection: this,
      call,
      after: task => after.push(task),
      admit,
    });
  }
}

/** An encoded answer; `gone` is called when it has been sent. */
interface Built {
  readonly text: string | Buffer;
  readonly bytes: number;
  readonly gone: () => void;
}

function noRoom(id: JSONRPCID): JSONRPCErrorResponse {
  const message = 'Too large an answer for its batch, or too much is on its way to this client already';
  return failure(id, ERRORS.PAYLOAD_TOO_LARGE.rpc, message, { code: 'PAYLOAD_TOO_LARGE' });
}
