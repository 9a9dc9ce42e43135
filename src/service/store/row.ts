import { jsonOnce } from '../../schemas/json-once.ts';
import { withOutput, withOutputOnce } from './output-once.ts';
import type { StoredExecution } from './store.ts';

/** An execution as it lies in the database. */
export interface Row {
  readonly id: string;
  readonly owner: string | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** JSON. */
  readonly status: string;
  /** JSON. */
  readonly events: string;
  readonly note: string | null;
  readonly filesBytes: number;
}

/** Written by whoever has the execution: texts are sent to a thread faster than objects are, and its state is answered as it is stored. */
export function rowOf({ owner, status, events, note = null, filesBytes = 0 }: StoredExecution): Row {
  return {
    id: status.executionId,
    owner,
    createdAt: Date.parse(status.createdAt),
    status: jsonOnce(status),
    events: JSON.stringify(withOutputOnce(events, status)),
    note,
    filesBytes,
  };
}

export function executionOf({
  owner,
  note,
  ...row
}: Pick<Row, 'owner' | 'status' | 'events' | 'note'>): StoredExecution {
  const status = JSON.parse(row.status);
  return { owner, note, status, events: withOutput(JSON.parse(row.events), status) };
}
