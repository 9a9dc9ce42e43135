import type { Http } from './http.ts';
import type { Inbox, RunEvent } from './inbox.ts';
import { runStatus } from './run-status.ts';
import type { StatusResponse } from './wire.ts';

export interface RunParts {
  readonly inbox: Inbox;
  readonly http: Http;
  readonly call: (method: string, params: object) => Promise<unknown>;
  /** For how long an answer about its end is asked for again, milliseconds. */
  readonly patience: number;
  /** Cancels it. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A program or cell that was started. What it tells is read by `for await`, once; leaving that early leaves it running.
 */
export class Run implements AsyncIterable<RunEvent> {
  /** Names it, for other clients as well. */
  readonly id: string;
  readonly #inbox: Inbox;
  readonly #http: Http;
  readonly #call: (method: string, params: object) => Promise<unknown>;
  readonly #patience: number;

  constructor(id: string, { inbox, http, call, patience, signal }: RunParts) {
    this.id = id;
    this.#inbox = inbox;
    this.#http = http;
    this.#call = call;
    this.#patience = patience;
    if (signal) this.#obey(signal);
  }

  /** What it tells, from its start. */
  [Symbol.asyncIterator](): AsyncGenerator<RunEvent, void> {
    return this.#inbox[Symbol.asyncIterator]();
  }

  /** Resolves when it has ended: how, and what it printed. */
  async result(): Promise<StatusResponse> {
    await this.#inbox.ended;
    return runStatus(this.#http, this.id, this.#patience);
  }

  /** Ends it, if it runs; resolves to how it ended. */
  cancel(): Promise<StatusResponse> {
    return this.#http.json<StatusResponse>('DELETE', `/api/execution/${encodeURIComponent(this.id)}`);
  }

  /** Types to a terminal, or writes to the standard input of a program that was started with `interactive`. `eof` ends it. */
  async input(data: string | Uint8Array, { eof = false }: { eof?: boolean } = {}): Promise<void> {
    const text = typeof data === 'string' ? { data } : { data: toBase64(data), encoding: 'base64' };
    await this.#ask('process.input', { ...text, eof });
  }

  /** @param signal a name, such as SIGINT */
  async signal(signal: string): Promise<void> {
    await this.#ask('process.signal', { signal });
  }

  /** Gives its terminal another size. */
  async resize(cols: number, rows: number): Promise<void> {
    await this.#ask('process.resize', { cols, rows });
  }

  #obey(signal: AbortSignal): void {
    const cancel = () => void this.cancel().catch(() => {});
    if (signal.aborted) cancel();
    signal.addEventListener('abort', cancel, { once: true });
    const forget = () => signal.removeEventListener('abort', cancel);
    this.#inbox.ended.then(forget, forget);
  }

  /** A program that has not begun can't be asked for anything. */
  async #ask(method: string, params: object): Promise<void> {
    await this.#inbox.begun;
    await this.#call(method, { executionId: this.id, ...params });
  }
}

/** What a run tells; who leaves before its end ends it. */
export async function* untilLeft(run: Run): AsyncGenerator<RunEvent, void> {
  let isOver = false;
  try {
    yield* run;
    isOver = true;
  } finally {
    if (!isOver) await run.cancel().catch(() => {});
  }
}

/** How a run ended. @throws the signal's reason, if that ended it */
export async function resultOf(run: Run, signal: AbortSignal | undefined): Promise<StatusResponse> {
  const result = await run.result();
  signal?.throwIfAborted();
  return result;
}

/** Bytes of a call to String.fromCharCode; too many are no arguments any more. */
const PIECE = 8192;

function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE)
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE));
  return btoa(text);
}

/** What an event of output brings, as it was printed. */
export function bytesOf({ text, data }: { text?: string; data?: string }): Uint8Array {
  if (data === undefined) return new TextEncoder().encode(text ?? '');
  return Uint8Array.from(atob(data), char => char.charCodeAt(0));
}
