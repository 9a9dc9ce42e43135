import { renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import type { StatusResponse } from '../../schemas/execution.ts';
import { FreePages } from './free-pages.ts';
import { forgetFiles, sweepFiles } from './kept-files.ts';
import { executionOf, type Row, rowOf } from './row.ts';
import type { Retention, StoredExecution } from './store.ts';

const HOUR_MS = 3_600_000;
/** Bytes of a row in addition to its texts. */
const ROW_BYTES = 512;
/** Fraction of an owner's executions removed at a time: one in this many. */
const PART = 20;
/** What a row makes the file and its log grow by at most, beside twice its bytes: pages of four trees, and what keeps these even. */
const MOST_GROWN_BYTES = 64 * 4096;
/** Size at which the write-ahead log is cut back, bytes. SQLite itself would keep it as large as it ever was. */
const LOG_BYTES = 4 * 1024 * 1024;
/** Free pages kept for the next results, bytes. Where the limit of bytes holds, as many as one removal makes there. */
const KEPT_FREE_BYTES = 16 * 1024 * 1024;
/** How long another process may hold the database, e.g. to copy it. */
const BUSY_MS = 5000;
/** SQLITE_CORRUPT and SQLITE_NOTADB (https://www.sqlite.org/rescode.html). */
const CORRUPT: readonly unknown[] = [11, 26];

/** Columns that came later, with their types. */
const ADDED = [
  ['bytes', 'INTEGER NOT NULL DEFAULT 0'],
  ['note', 'TEXT'],
  ['filesBytes', 'INTEGER NOT NULL DEFAULT 0'],
] as const;

/** Executions of an owner, without the newest of all. */
interface Share {
  readonly owner: string | null;
  readonly count: number;
}

/** SQLite database of executions. Synchronous, so it runs in a worker thread. */
export class ExecutionDatabase {
  readonly #db: DatabaseSync;
  readonly #logFile: string;
  readonly #retention: Retention;
  readonly #freePages: FreePages;
  readonly #filesDirectory: string;
  /** Bytes of the files beside the rows. */
  #filesBytes = 0;
  /** Bytes that the file, or its log, can't have grown by before a limit of either is reached; negative: they are to be looked at. */
  #slack = -1;

  /** `filesDirectory`: where {@link KeptFiles} keeps them. @throws SQLite's errors */
  constructor(file: string, retention: Retention, filesDirectory: string) {
    this.#db = new DatabaseSync(file, { timeout: BUSY_MS });
    this.#logFile = `${file}-wal`;
    this.#retention = retention;
    this.#filesDirectory = filesDirectory;
    this.#freePages = new FreePages(this.#db);
    try {
      FreePages.prepare(this.#db);
      this.#db.exec(`
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA journal_size_limit = ${LOG_BYTES};
        CREATE TABLE IF NOT EXISTS executions (
          number INTEGER PRIMARY KEY,
          id TEXT NOT NULL UNIQUE,
          owner TEXT,
          createdAt INTEGER NOT NULL,
          finished INTEGER NOT NULL,
          bytes INTEGER NOT NULL DEFAULT 0,
          status TEXT NOT NULL,
          events TEXT NOT NULL,
          note TEXT,
          filesBytes INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX IF NOT EXISTS byAge ON executions (createdAt);
        CREATE INDEX IF NOT EXISTS unfinished ON executions (finished) WHERE finished = 0;
      `);
      this.#addColumns();
      this.#db.exec(`
        CREATE INDEX IF NOT EXISTS byOwner ON executions (owner, finished, number, bytes);
        CREATE INDEX IF NOT EXISTS withFiles ON executions (filesBytes) WHERE filesBytes > 0;
      `);
      const most = this.#db.prepare(
        'SELECT coalesce(sum(filesBytes), 0) AS bytes FROM executions WHERE filesBytes > 0',
      );
      this.#filesBytes = (most.get() as { bytes: number }).bytes;
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  /** Migrates a file of an earlier version, which had no sizes, no notes or no files beside it. */
  #addColumns(): void {
    const columns = this.#db.prepare('SELECT name FROM pragma_table_info(?)').all('executions');
    for (const [column, type] of ADDED) {
      if (!columns.some(({ name }) => name === column))
        this.#db.exec(`ALTER TABLE executions ADD COLUMN ${column} ${type}`);
    }
  }

  /** Inserts or replaces an execution; {@link tidy} is due then. */
  put({ id, owner, createdAt, status, events, note, filesBytes }: Row, finished: boolean): void {
    this.#put ??= this.#db.prepare(`
      INSERT INTO executions (id, owner, createdAt, finished, bytes, status, events, note, filesBytes)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET
        finished = excluded.finished, bytes = excluded.bytes, status = excluded.status, events = excluded.events,
        filesBytes = excluded.filesBytes
    `);
    const texts = [status, events, note ?? ''];
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), ROW_BYTES + filesBytes);
    this.#put.run(id, owner, createdAt, finished ? 1 : 0, bytes, status, events, note, filesBytes);
    this.#filesBytes += filesBytes;
    this.#slack -= 2 * bytes + MOST_GROWN_BYTES;
  }
  #put: ReturnType<DatabaseSync['prepare']> | undefined;

  /** Holds the file and its log to their sizes: much slower than what it follows, which leaves all of that to this. */
  tidy(): void {
    if (this.#slack >= 0) return;
    this.#cutLog();
    this.#makeRoom();
    const file = this.#retention.bytes - this.#fileBytes() - this.#filesBytes;
    this.#slack = Math.min(LOG_BYTES - this.#logBytes(), file);
  }

  get(id: string): StoredExecution | null {
    this.#get ??= this.#db.prepare('SELECT owner, status, events, note FROM executions WHERE id = ?');
    const row = this.#get.get(id) as Row | undefined;
    return row ? executionOf(row) : null;
  }
  #get: ReturnType<DatabaseSync['prepare']> | undefined;

  /** Executions that an earlier server left unfinished. */
  endUnfinished(): void {
    const rows = this.#db.prepare('SELECT id FROM executions WHERE finished = 0').all() as { id: string }[];
    for (const { id } of rows) {
      const kept = this.get(id)!;
      const status: StatusResponse = {
        ...kept.status,
        status: 'failed',
        outcome: 'sandbox_lost',
        errorType: 'internal_error',
        completedAt: new Date().toISOString(),
      };
      const origin = { executionId: id, sessionId: null, commandId: null };
      const params = { ...origin, seq: 1, status: 'failed' as const, exitCode: null };
      const ended = { ...kept, status, events: [{ method: 'execution.completed' as const, params }] };
      this.put(rowOf(ended), true);
    }
  }

  /** Removes executions that are too old or too many, and gives back the room of what was removed since. */
  prune(): void {
    const { hours, executions } = this.#retention;
    this.#forgot(
      this.#db
        .prepare('DELETE FROM executions WHERE finished = 1 AND createdAt < ? RETURNING id, filesBytes')
        .all(Date.now() - hours * HOUR_MS),
    );
    for (let excess = this.#count() - executions; excess > 0; excess = this.#count() - executions)
      if (!this.#forgetOldestOf(this.#whoHasMost('count(*)'), excess)) break;
    this.#freePages.giveBack(Math.max(KEPT_FREE_BYTES, Math.ceil(this.#retention.bytes / PART)));
    this.#cutLog();
    this.#slack = -1;
  }

  /** Removes the oldest executions of the largest owner until the limits hold or one execution is left. */
  #makeRoom(): void {
    const { bytes } = this.#retention;
    while (this.#fileBytes() + this.#filesBytes > bytes && this.#usedBytes() + this.#filesBytes > bytes) {
      if (!this.#forgetOldestOf(this.#whoHasMost('sum(bytes)'), Number.MAX_SAFE_INTEGER)) return;
      this.#cutLog();
    }
  }

  /**
   * Copies a large write-ahead log into the database and empties it. Not waited for: while another process reads
   * the database, e.g. to copy it, the log grows, and is cut back by a later write.
   */
  #cutLog(): void {
    if (this.#logBytes() <= LOG_BYTES) return;
    this.#db.exec(`
      PRAGMA busy_timeout = 0;
      PRAGMA wal_checkpoint(TRUNCATE);
      PRAGMA busy_timeout = ${BUSY_MS};
    `);
  }

  #logBytes(): number {
    return statSync(this.#logFile, { throwIfNoEntry: false })?.size ?? 0;
  }

  #count(): number {
    return (this.#db.prepare('SELECT count(*) AS count FROM executions').get() as { count: number }).count;
  }

  /**
   * The owner with the most bytes or rows, so that an owner never loses results to one that has more.
   * Undefined when only the newest execution is left.
   */
  #whoHasMost(counted: 'count(*)' | 'sum(bytes)'): Share | undefined {
    const most = this.#db.prepare(`
      SELECT owner, count(*) AS count FROM executions
      WHERE finished = 1 AND number < (SELECT max(number) FROM executions)
      GROUP BY owner ORDER BY ${counted} DESC LIMIT 1`);
    return most.get() as Share | undefined;
  }

  /** Removes at most this many; false when there was none. */
  #forgetOldestOf(share: Share | undefined, most: number): boolean {
    if (!share) return false;
    const removed = this.#db
      .prepare(`
        DELETE FROM executions WHERE number IN (
          SELECT number FROM executions
          WHERE owner IS ? AND finished = 1 AND number < (SELECT max(number) FROM executions)
          ORDER BY number LIMIT ?
        ) RETURNING id, filesBytes`)
      .all(share.owner, Math.min(most, Math.ceil(share.count / PART)));
    this.#forgot(removed);
    return removed.length > 0;
  }

  /** Removes the files of rows that were removed. */
  #forgot(rows: readonly object[]): void {
    for (const { id, filesBytes } of rows as readonly { id: string; filesBytes: number }[]) {
      if (filesBytes === 0) continue;
      this.#filesBytes -= filesBytes;
      try {
        forgetFiles(this.#filesDirectory, id);
      } catch {
        // The next sweep tries again. Those of the other rows must go now.
      }
    }
  }

  /**
   * Removes files that are no row's, where nothing was begun for so long, milliseconds: of runs that an earlier server left unfinished, of databases
   * that are gone, and what could not be removed before.
   */
  sweep(ageMs: number): void {
    const known = this.#db.prepare(
      'SELECT 1 FROM executions WHERE id = ? AND (filesBytes > 0 OR finished = 0)',
    );
    sweepFiles(this.#filesDirectory, ageMs, id => known.get(id) !== undefined);
  }

  /** The database and its log. Called after every run, so free pages are only counted when needed. */
  #fileBytes(): number {
    this.#size ??= this.#db.prepare(
      'SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size',
    );
    return (this.#size.get() as { bytes: number }).bytes + this.#logBytes();
  }
  #size: ReturnType<DatabaseSync['prepare']> | undefined;

  #usedBytes(): number {
    return this.#fileBytes() - this.#freePages.bytes();
  }

  /** Test write. @throws when the file can't be written */
  probe(): void {
    this.#db.exec(`PRAGMA user_version = ${Date.now() % 1_000_000}`);
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}

/** Whether an error means that the file is not a usable database. */
export function isCorrupt(error: unknown): boolean {
  return CORRUPT.includes((error as { errcode?: unknown } | null)?.errcode);
}

/** Renames an unreadable file and SQLite's files beside it, so that it may be repaired. */
export function setAside(file: string): void {
  const suffix = `.corrupt-${new Date().toISOString().replaceAll(':', '')}`;
  renameSync(file, file + suffix);
  for (const beside of ['-wal', '-shm']) {
    try {
      renameSync(file + beside, file + suffix + beside);
    } catch {
      // The file may be missing.
    }
  }
}
