import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { StatusResponse } from '../schemas/execution.ts';
import type { Retention, StoredExecution, StoreReply, StoreRequest } from './execution-store.ts';

/** The thread that holds the database of executions; see execution-store.ts. */

const HOUR_MS = 3_600_000;
const PRUNE_MS = 60_000;
const { file, retention } = workerData as { file: string; retention: Retention };

const db = new DatabaseSync(file);
db.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS executions (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    owner TEXT,
    createdAt INTEGER NOT NULL,
    finished INTEGER NOT NULL,
    status TEXT NOT NULL,
    events TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS byAge ON executions (createdAt);
  CREATE INDEX IF NOT EXISTS unfinished ON executions (finished) WHERE finished = 0;
`);

const insert = db.prepare(
  'INSERT INTO executions (id, owner, createdAt, finished, status, events) VALUES (?, ?, ?, 0, ?, ?)',
);
const finish = db.prepare('UPDATE executions SET finished = 1, status = ?, events = ? WHERE id = ?');
const get = db.prepare('SELECT owner, status, events FROM executions WHERE id = ?');
const dropOld = db.prepare('DELETE FROM executions WHERE finished = 1 AND createdAt < ?');
const dropMany = db.prepare(
  'DELETE FROM executions WHERE finished = 1 AND number <= (SELECT max(number) FROM executions) - ?',
);

function handle(request: StoreRequest): StoredExecution | null {
  switch (request.op) {
    case 'insert': {
      const { owner, status, events } = request.execution;
      const createdAt = Date.parse(status.createdAt);
      insert.run(status.executionId, owner, createdAt, JSON.stringify(status), JSON.stringify(events));
      return null;
    }
    case 'finish': {
      const { status, events } = request.execution;
      finish.run(JSON.stringify(status), JSON.stringify(events), status.executionId);
      return null;
    }
    case 'get':
      return find(request.id);
    case 'close':
      db.close();
      return null;
  }
}

function find(id: string): StoredExecution | null {
  const row = get.get(id) as { owner: string | null; status: string; events: string } | undefined;
  return row ? { owner: row.owner, status: JSON.parse(row.status), events: JSON.parse(row.events) } : null;
}

/** Whatever an earlier server left pending or running was cut off with it. */
function endUnfinished(): void {
  const rows = db.prepare('SELECT id, status FROM executions WHERE finished = 0').all() as {
    id: string;
    status: string;
  }[];
  for (const { id, status } of rows) {
    const before = JSON.parse(status) as StatusResponse;
    const after: StatusResponse = {
      ...before,
      status: 'failed',
      outcome: 'sandbox_lost',
      errorType: 'internal_error',
      completedAt: new Date().toISOString(),
    };
    const origin = { executionId: id, sessionId: null, commandId: null };
    const completed = { ...origin, seq: 1, status: 'failed', exitCode: null };
    finish.run(
      JSON.stringify(after),
      JSON.stringify([{ method: 'execution.completed', params: completed }]),
      id,
    );
  }
}

function prune(): void {
  dropOld.run(Date.now() - retention.hours * HOUR_MS);
  dropMany.run(retention.executions);
}

function reply(message: StoreReply): void {
  parentPort?.postMessage(message);
}

endUnfinished();
prune();
setInterval(() => {
  try {
    if (db.isOpen) prune();
  } catch {
    // A full disk, say: the next write tells, and the next round tries again.
  }
}, PRUNE_MS).unref();
parentPort?.on('message', (request: StoreRequest) => {
  try {
    reply({ value: handle(request) });
  } catch (error) {
    reply({ error: error instanceof Error ? error.message : String(error) });
  }
});
reply({ value: null });
