import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isCorrupt, setAside } from './service/store/execution-database.ts';

/** The data directory is used by another server; the message is one sentence for the operator. */
export class DataDirLocked extends Error {
  override readonly name = 'DataDirLocked';
}

/**
 * Takes the data directory for this server alone. The lock is SQLite's on a file of its own: the kernel gives it up
 * with the process, however that ends, so a lock can't be left behind. `instance` names what this directory's servers
 * make, so that the next one finds what a crash left and leaves other servers' things alone.
 * @throws {DataDirLocked}
 */
export function openDataDir(path: string): { instance: string; close(): void } {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const file = join(path, 'server.sqlite');
  try {
    return lockFile(file);
  } catch (error) {
    if (/locked/.test((error as Error).message)) {
      throw new DataDirLocked(
        `${path} is in use by another server: stop that one, or set CODEBEAKER_DATA_DIR to another directory.`,
      );
    }
    if (!isCorrupt(error)) throw error;
    // The name was all that it held.
    setAside(file);
    return lockFile(file);
  }
}

function lockFile(file: string): { instance: string; close(): void } {
  const lock = new DatabaseSync(file);
  try {
    // In exclusive mode the lock that the first write takes is kept until the file is closed.
    lock.exec(
      'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS server (instance TEXT)',
    );
    lock
      .prepare('INSERT INTO server SELECT ? WHERE NOT EXISTS (SELECT 1 FROM server)')
      .run(randomBytes(6).toString('hex'));
    const row = lock.prepare('SELECT instance FROM server').get() as { instance: string };
    lock.exec('COMMIT');
    return { instance: row.instance, close: () => lock.close() };
  } catch (error) {
    lock.close();
    throw error;
  }
}
