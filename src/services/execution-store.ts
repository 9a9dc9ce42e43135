import { Worker } from 'node:worker_threads';
import type { ExecutionEvent } from '../schemas/events.ts';
import type { StatusResponse } from '../schemas/execution.ts';

/** An execution as it is kept. */
export interface StoredExecution {
  readonly owner: string | null;
  readonly status: StatusResponse;
  /** What it told, or the newest part of it. Empty while it runs. */
  readonly events: readonly ExecutionEvent[];
}

export interface Retention {
  readonly hours: number;
  readonly executions: number;
}

/** Requests to the worker that holds the database. */
export type StoreRequest =
  | { op: 'insert' | 'finish'; execution: StoredExecution }
  | { op: 'get'; id: string }
  | { op: 'close' };

/** What the worker answers, in the order of the requests. */
export type StoreReply = { value: StoredExecution | null } | { error: string };

/**
 * Keeps executions in one SQLite file. SQLite is synchronous, so it lives in a worker thread. What a promise here has
 * resolved for survives the death of the process at any instant (not a loss of power: the journal is not synced).
 * Opening it turns what an earlier server left unfinished into `failed`/`sandbox_lost`.
 */
export class ExecutionStore {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<StoredExecution | null>[] = [];
  /** Why nothing can be kept; null while all is well. */
  problem: string | null = null;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (reply: StoreReply) => this.#answered(reply));
    worker.on('error', error => this.#failed(error));
  }

  static async open(file: string, retention: Retention): Promise<ExecutionStore> {
    const worker = new Worker(new URL('./execution-store-worker.ts', import.meta.url), {
      workerData: { file, retention },
    });
    const store = new ExecutionStore(worker);
    const opened = Promise.withResolvers<StoredExecution | null>();
    store.#waiting.push(opened);
    await opened.promise;
    return store;
  }

  async insert(execution: StoredExecution): Promise<void> {
    await this.#ask({ op: 'insert', execution });
  }

  async finish(execution: StoredExecution): Promise<void> {
    await this.#ask({ op: 'finish', execution });
  }

  get(id: string): Promise<StoredExecution | null> {
    return this.#ask({ op: 'get', id });
  }

  async close(): Promise<void> {
    await this.#ask({ op: 'close' });
    await this.#worker.terminate();
  }

  #ask(request: StoreRequest): Promise<StoredExecution | null> {
    if (this.#dead) return Promise.reject(new Error(`executions cannot be kept: ${this.problem}`));
    const answer = Promise.withResolvers<StoredExecution | null>();
    this.#waiting.push(answer);
    this.#worker.postMessage(request);
    return answer.promise;
  }

  #dead = false;

  #answered(reply: StoreReply): void {
    const waiting = this.#waiting.shift();
    if ('error' in reply) {
      this.problem = reply.error;
      waiting?.reject(new Error(`executions cannot be kept: ${reply.error}`));
    } else {
      this.problem = null;
      waiting?.resolve(reply.value);
    }
  }

  #failed(error: unknown): void {
    this.#dead = true;
    this.problem = error instanceof Error ? error.message : String(error);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}
