import type { ExecutionEvent } from '../../schemas/events.ts';
import type { StatusResponse } from '../../schemas/execution.ts';

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
  /** Of all that is kept, bytes. */
  readonly bytes: number;
}

/** Keeps one-shots. What can't be kept is a ServiceError, STORAGE_UNAVAILABLE. */
export interface Store {
  /** Resolves when it survives the death of this process. */
  insert(execution: StoredExecution): Promise<void>;
  /** The same for its end, instead of what was kept of it before. */
  finish(execution: StoredExecution): Promise<void>;
  get(id: string): Promise<StoredExecution | null>;
  /** Why nothing can be kept; null while all is well. */
  readonly problem: string | null;
  close(): Promise<void>;
}
