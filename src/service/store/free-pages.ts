import type { DatabaseSync } from 'node:sqlite';

/** `PRAGMA auto_vacuum`: the file records for each page what refers to it, so that pages can be moved. */
const INCREMENTAL = 2;
/** Pages moved at once; each is 4 KiB. */
const STEP_PAGES = 4096;
/** Steps of one call, each some 16 MiB: meanwhile nothing is written. */
const MAX_STEPS = 8;

/**
 * The pages that removed rows leave in a database's file, which SQLite keeps for later rows. Imports nothing else of the
 * store.
 */
export class FreePages {
  readonly #db: DatabaseSync;

  /** Of a database that has been prepared. */
  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Before the first table is made. A file of an earlier version is written anew where there is room for it. */
  static prepare(db: DatabaseSync): void {
    db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    const [mode] = Object.values(db.prepare('PRAGMA auto_vacuum').get() as object);
    if (mode === INCREMENTAL) return;
    try {
      db.exec('VACUUM');
    } catch {
      // For want of room: it keeps its size, and the next start tries again.
    }
  }

  /** Bytes that they take. */
  bytes(): number {
    this.#free ??= this.#db.prepare(
      'SELECT freelist_count * page_size AS bytes FROM pragma_freelist_count, pragma_page_size',
    );
    return (this.#free.get() as { bytes: number }).bytes;
  }
  #free: ReturnType<DatabaseSync['prepare']> | undefined;

  /** Gives most of those above `kept` bytes back to the file system; what is left, a later call does. */
  giveBack(kept: number): void {
    for (let step = 0; step < MAX_STEPS && this.bytes() > kept; step++)
      this.#db.exec(`PRAGMA incremental_vacuum(${STEP_PAGES})`);
  }
}
