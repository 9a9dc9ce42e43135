import type { ExecutionEvent } from '../../schemas/events.ts';
import type { StatusResponse } from '../../schemas/execution.ts';
import type { KeptFiles } from './kept-files.ts';

/** A stored execution. */
export interface StoredExecution {
  readonly owner: string | null;
  readonly status: StatusResponse;
  /** Its events, or the newest of them. Empty while it runs. */
  readonly events: readonly ExecutionEvent[];
  /** What its door wants to know of it later, if anything. */
  readonly note?: string | null;
  /** Of those that are kept beside it. */
  readonly filesBytes?: number;
}

export interface Retention {
  readonly hours: number;
  readonly executions: number;
  /** Most bytes of all stored executions, and of their files beside them. */
  readonly bytes: number;
}

/** Storage of one-shots. A failed write is a ServiceError, STORAGE_UNAVAILABLE. */
export interface Store {
  /** Resolves when the execution survives the death of this process. */
  insert(execution: StoredExecution): Promise<void>;
  /** Replaces the stored execution by its final state; resolves as `insert` does. */
  finish(execution: StoredExecution): Promise<void>;
  get(id: string): Promise<StoredExecution | null>;
  /** What is too large to be in one, gone with it. */
  readonly files: KeptFiles;
  /** Why writes fail; null when they don't. */
  readonly problem: string | null;
  close(): Promise<void>;
}
