import { existsSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { ExecutionDatabase, isCorrupt, setAside } from './execution-database.ts';
import type { StoreReply, StoreRequest, StoreWorkerData } from './execution-store.ts';
import type { StoredExecution } from './store.ts';

/** Worker thread that holds the database of executions; see execution-store.ts. */

const PRUNE_MS = 60_000;
/** So long a run may write its files, milliseconds, though a new database knows nothing of it. */
const WRITING_MS = 3_600_000;
const { file, retention, filesDirectory, first } = workerData as StoreWorkerData;

const open = () => new ExecutionDatabase(file, retention, filesDirectory);
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

/** Handles a request; a deleted or unreadable file is replaced by a new one first. */
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
      database.put(request.row, request.op === 'finish');
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

function attempt(upkeep: () => void): void {
  try {
    upkeep();
  } catch {
    // E.g. a full disk: the next write reports it, and the next round tries again.
  }
}

function reply(message: StoreReply): void {
  parentPort?.postMessage(message);
}

database.endUnfinished();
database.prune();
// In the first nothing is being written.
attempt(() => database.sweep(first ? 0 : WRITING_MS));
setInterval(() => {
  attempt(() => database.prune());
  attempt(() => database.sweep(WRITING_MS));
}, PRUNE_MS).unref();
parentPort?.on('message', (request: StoreRequest) => {
  try {
    reply({ value: handle(request) });
  } catch (error) {
    return reply({ error: error instanceof Error ? error.message : String(error) });
  }
  // A client waits for its result to be kept, and for nothing else.
  if (request.op === 'insert' || request.op === 'finish') attempt(() => database.tidy());
});
reply({ value: null });
