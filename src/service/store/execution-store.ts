import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ServiceError } from '../../errors.ts';
import { withoutPaths } from '../../runtimes/without-paths.ts';
import { KeptFiles } from './kept-files.ts';
import { type Row, rowOf } from './row.ts';
import type { Retention, Store, StoredExecution } from './store.ts';

/** What its worker is started with. */
export interface StoreWorkerData {
  readonly file: string;
  readonly retention: Retention;
  readonly filesDirectory: string;
  /** Of this process: nothing is being written yet. */
  readonly first: boolean;
}

/** Requests to the worker that holds the database. */
export type StoreRequest =
  | { op: 'insert' | 'finish'; row: Row }
  | { op: 'get'; id: string }
  | { op: 'probe' | 'close' };

/** What the worker answers, in the order of the requests. */
export type StoreReply = { value: StoredExecution | null } | { error: string };

/** Interval at which a failing store is tried again, milliseconds. */
const PROBE_MS = 2000;
/** The directory of files, beside the database. */
const FILES = 'output-files';

/**
 * Stores executions in one SQLite file, with large files in a directory beside it, in a worker thread because SQLite is synchronous. When a promise has
 * resolved, its write survives the death of the process at any time, but not a loss of power: the journal is
 * not synced. Opening marks what an earlier server left unfinished as `failed`/`sandbox_lost`. An unreadable
 * file is renamed and a new one begun. A failed write is a ServiceError, STORAGE_UNAVAILABLE.
 */
export class ExecutionStore implements Store {
  readonly #options: { file: string; retention: Retention };
  #worker: Worker | undefined;
  #waiting: PromiseWithResolvers<StoredExecution | null>[] = [];
  #probing: NodeJS.Timeout | undefined;
  #closed = false;
  problem: string | null = null;
  readonly files: KeptFiles;
  #started = false;

  private constructor(options: { file: string; retention: Retention }) {
    this.#options = options;
    this.files = new KeptFiles(join(dirname(options.file), FILES));
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
    await this.#ask({ op: 'insert', row: rowOf(execution) });
  }

  async finish(execution: StoredExecution): Promise<void> {
    await this.#ask({ op: 'finish', row: rowOf(execution) });
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
    // Answers come in the order of requests, so a request that was not sent must not wait for one.
    worker.postMessage(request);
    this.#waiting.push(answer);
    return answer.promise;
  }

  /** A worker's first answer reports that it has opened the file. */
  #start(): Worker {
    const data: StoreWorkerData = {
      ...this.#options,
      filesDirectory: this.files.directory,
      first: !this.#started,
    };
    this.#started = true;
    const worker = new Worker(new URL('./execution-store-worker.ts', import.meta.url), { workerData: data });
    const opened = Promise.withResolvers<StoredExecution | null>();
    opened.promise.catch(() => {});
    this.#waiting = [opened];
    this.#worker = worker;
    worker.on('message', (reply: StoreReply) => this.#answered(reply));
    const ended = (error: unknown) => this.#worker === worker && this.#failed(error);
    worker.on('error', ended);
    worker.on('exit', () => ended('its thread has ended'));
    // After an unreadable answer, later answers can't be matched to their requests.
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

  /** Called when the worker has ended; the next request starts another. */
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
