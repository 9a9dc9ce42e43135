import { existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { ExecutionDatabase, isCorrupt, setAside } from './execution-database.ts';
import type { StoreReply, StoreRequest } from './execution-store.ts';
import type { Retention, StoredExecution } from './store.ts';

/** The thread that holds the database of executions; see execution-store.ts. */

const PRUNE_MS = 60_000;
const { file, retention } = workerData as { file: string; retention: Retention };

const open = () => new ExecutionDatabase(file, retention);
let database = opened();

function opened(): ExecutionDatabase {
  try {
    return open();
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    setAside(file);
    return open();
  }
}

function reopen(): void {
  database.close();
  database = opened();
}

/** A file that was deleted or has become unreadable is replaced: what is written from then on is kept. */
function handle(request: StoreRequest): StoredExecution | null {
  if (request.op !== 'close' && !existsSync(file)) reopen();
  try {
    return apply(request);
  } catch (error) {
    if (!isCorrupt(error)) throw error;
    database.close();
    setAside(file);
    database = open();
    return apply(request);
  }
}

function apply(request: StoreRequest): StoredExecution | null {
  switch (request.op) {
    case 'insert':
    case 'finish':
      database.put(request.execution, request.op === 'finish');
      return null;
    case 'get':
      return database.get(request.id);
    case 'probe':
      database.probe();
      return null;
    case 'close':
      database.close();
      return null;
  }
}

function reply(message: StoreReply): void {
  parentPort?.postMessage(message);
}

database.endUnfinished();
database.prune();
setInterval(() => {
  try {
    database.prune();
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
