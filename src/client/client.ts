import { followRun } from './event-stream.ts';
import { Feeds } from './feeds.ts';
import { Http } from './http.ts';
import type { RunEvent } from './inbox.ts';
import { Run, resultOf, untilLeft } from './run.ts';
import { Session } from './session.ts';
import { startInteractive } from './start-interactive.ts';
import type {
  ExecuteRequest,
  LanguageInfo,
  SessionConfig,
  SessionInfo,
  SessionList,
  StatusResponse,
} from './wire.ts';

export interface ClientOptions {
  /** Of the service; by default where it listens by default. */
  url?: string | undefined;
  /** If the service asks for one. */
  key?: string | undefined;
  /** For how many seconds a lost connection is tried to be made again while something runs. */
  patience?: number | undefined;
}

/** How a program is started. */
export interface StartOptions {
  interactive?: boolean;
  /** Ends it. */
  signal?: AbortSignal | undefined;
}

const URL_BY_DEFAULT = 'http://127.0.0.1:5039';
const PATIENCE_SECONDS = 60;
const MS = 1000;

/** A client of CodeBeaker. It needs `fetch` and, for what runs in sessions, `WebSocket`. */
export class CodeBeaker implements Disposable {
  readonly #http: Http;
  readonly #feeds: Feeds;
  readonly #patience: number;

  constructor({ url = URL_BY_DEFAULT, key, patience = PATIENCE_SECONDS }: ClientOptions = {}) {
    this.#http = new Http(url, key);
    this.#patience = patience * MS;
    this.#feeds = new Feeds(this.#http, this.#patience);
  }

  /** Runs a program once, in a sandbox of its own. One that fails is a result too. */
  async run(request: ExecuteRequest, { signal }: { signal?: AbortSignal } = {}): Promise<StatusResponse> {
    return resultOf(await this.#start(request, { isRead: false, signal }), signal);
  }

  /** Runs a program once and gives what it tells, as it comes. Leaving the loop ends it. */
  async *stream(request: ExecuteRequest): AsyncGenerator<RunEvent, void> {
    yield* untilLeft(await this.start(request));
  }

  /**
   * Starts a program, once, in a sandbox of its own. With `interactive`, `input()` feeds its standard input; it then has a connection
   * of its own, and ends with that.
   */
  async start(request: ExecuteRequest, { interactive = false, signal }: StartOptions = {}): Promise<Run> {
    if (!interactive) return this.#start(request, { isRead: true, signal });
    signal?.throwIfAborted();
    const { executionId, ...parts } = await startInteractive(this.#http, request, signal);
    return new Run(executionId, { ...parts, http: this.#http, patience: this.#patience, signal });
  }

  /** A program that was started before, also by another client. */
  follow(executionId: string): Run {
    return this.#run(executionId, { isRead: true });
  }

  /** Opens a session; `await using` closes it. */
  async session(config: SessionConfig): Promise<Session> {
    const { sessionId } = await this.#http.json<SessionInfo>('POST', '/api/session', { body: config });
    return this.attach(sessionId);
  }

  /** A session that is there already. */
  attach(sessionId: string): Session {
    return new Session(sessionId, { http: this.#http, feeds: this.#feeds, patience: this.#patience });
  }

  /** The sessions of this key. */
  async *sessions(): AsyncGenerator<SessionInfo, void> {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const path: string = `/api/session${cursor && `?cursor=${cursor}`}`;
      const page: SessionList = await this.#http.json<SessionList>('GET', path);
      yield* page.sessions;
      cursor = page.nextCursor;
    }
  }

  languages(): Promise<LanguageInfo[]> {
    return this.#http.json<LanguageInfo[]>('GET', '/api/language');
  }

  /** Ends its connection; sessions and what runs in them go on. */
  close(): void {
    this.#feeds.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #start(
    request: ExecuteRequest,
    { isRead, signal }: { isRead: boolean; signal?: AbortSignal | undefined },
  ): Promise<Run> {
    signal?.throwIfAborted();
    const { executionId } = await this.#http.json<StatusResponse>('POST', '/api/execution', {
      body: request,
    });
    return this.#run(executionId, { isRead, signal });
  }

  #run(executionId: string, { isRead, signal }: { isRead: boolean; signal?: AbortSignal | undefined }): Run {
    const inbox = followRun(this.#http, { executionId, isRead, patience: this.#patience });
    const call = (method: string, params: object) => this.#feeds.call(method, params);
    return new Run(executionId, { inbox, http: this.#http, call, patience: this.#patience, signal });
  }
}
