import { Worker } from 'node:worker_threads';
import { ServiceError } from '../../errors.ts';
import { withoutPaths } from '../../runtimes/without-paths.ts';
import type { Retention, Store, StoredExecution } from './store.ts';

/** Requests to the worker that holds the database. */
export type StoreRequest =
  | { op: 'insert' | 'finish'; execution: StoredExecution }
  | { op: 'get'; id: string }
  | { op: 'probe' | 'close' };

/** What the worker answers, in the order of the requests. */
export type StoreReply = { value: StoredExecution | null } | { error: string };

/** While something is wrong, it is tried this often whether it still is. */
const PROBE_MS = 2000;

/**
 * Keeps executions in one SQLite file. SQLite is synchronous, so it lives in a worker thread. What a promise here has
 * resolved for survives the death of the process at any instant (not a loss of power: the journal is not synced).
 * Opening it turns what an earlier server left unfinished into `failed`/`sandbox_lost`. A file that can't be read is set
 * aside under another name and a new one begun. What can't be kept is a ServiceError, STORAGE_UNAVAILABLE.
 */
export class ExecutionStore implements Store {
  readonly #options: { file: string; retention: Retention };
  #worker: Worker | undefined;
  #waiting: PromiseWithResolvers<StoredExecution | null>[] = [];
  #probing: NodeJS.Timeout | undefined;
  #closed = false;
  problem: string | null = null;

  private constructor(options: { file: string; retention: Retention }) {
    this.#options = options;
  }

  /** @throws {ServiceError} the file can't be opened */
  static async open(file: string, retention: Retention): Promise<ExecutionStore> {
    const store = new ExecutionStore({ file, retention });
    try {
      await store.#ask({ op: 'probe' });
    } catch (error) {
      await store.close();
      throw error;
    }
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
    this.#closed = true;
    clearInterval(this.#probing);
    if (!this.#worker) return;
    await this.#ask({ op: 'close' }).catch(() => {});
    await this.#worker?.terminate();
  }

  #ask(request: StoreRequest): Promise<StoredExecution | null> {
    const worker = this.#worker ?? this.#start();
    const answer = Promise.withResolvers<StoredExecution | null>();
    // Answers come in the order of the requests: one that could not be sent has none.
    worker.postMessage(request);
    this.#waiting.push(answer);
    return answer.promise;
  }

  /** The first answer of a worker says that it has opened the file. */
  #start(): Worker {
    const worker = new Worker(new URL('./execution-store-worker.ts', import.meta.url), {
      workerData: this.#options,
    });
    const opened = Promise.withResolvers<StoredExecution | null>();
    opened.promise.catch(() => {});
    this.#waiting = [opened];
    this.#worker = worker;
    worker.on('message', (reply: StoreReply) => this.#answered(reply));
    const ended = (error: unknown) => this.#worker === worker && this.#failed(error);
    worker.on('error', ended);
    worker.on('exit', () => ended('its thread has ended'));
    // Whatever came after an answer that can't be read would be taken for another's.
    worker.on('messageerror', error => {
      ended(error);
      void worker.terminate();
    });
    return worker;
  }

  #answered(reply: StoreReply): void {
    const waiting = this.#waiting.shift();
    if ('error' in reply) waiting?.reject(this.#trouble(reply.error));
    else {
      this.#well();
      waiting?.resolve(reply.value);
    }
  }

  /** The worker has ended; the next request starts another. */
  #failed(error: unknown): void {
    const trouble = this.#trouble(error instanceof Error ? error.message : String(error));
    this.#worker = undefined;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(trouble);
  }

  #trouble(words: string): ServiceError {
    const problem = withoutPaths(words);
    this.problem = problem;
    if (!this.#closed)
      this.#probing ??= setInterval(() => this.#ask({ op: 'probe' }).catch(() => {}), PROBE_MS).unref();
    return new ServiceError('STORAGE_UNAVAILABLE', `Executions cannot be kept now: ${problem}`);
  }

  #well(): void {
    this.problem = null;
    clearInterval(this.#probing);
    this.#probing = undefined;
  }
}
