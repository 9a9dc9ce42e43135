import { randomBytes } from 'node:crypto';
import { chmodSync, readdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeDirectories } from './make-directories.ts';
import { isCorrupt, setAside } from './service/store/execution-database.ts';

/** The data directory is used by another server; the message is one sentence for the operator. */
export class DataDirLocked extends Error {
  override readonly name = 'DataDirLocked';
}

/** Others can read the data directory, and that can't be changed; the message is one sentence for the operator. */
export class DataDirShared extends Error {
  override readonly name = 'DataDirShared';
}

/** The data directory can't be used, by this user or by any; the message is one sentence for the operator. */
export class DataDirDenied extends Error {
  override readonly name = 'DataDirDenied';
}

/** Entries of a data directory: databases with SQLite's files, what sessions have ended, and trees that sandboxes see. */
const RECORDS = /^(server|executions)\.sqlite|^ended-sessions\.json/;
const TREES = /^(go-cache|library)-|^packages$/;
/** A directory that only its owner ever enters. */
const FILES = /^output-files$/;
const STICKY = 0o1000;
/** Where it can be nobody's. */
const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'nothing can be made there',
  EPERM: 'nothing can be made there',
  EEXIST: 'a part of it is no directory',
  ENOTDIR: 'a part of it is no directory',
};
/** Though nothing is in them yet. */
const EVERYBODYS = ['/tmp', '/var/tmp', '/dev/shm', tmpdir()];

/**
 * Takes the data directory for this server alone. The lock is SQLite's on a file of its own: the kernel gives it up
 * with the process, however that ends, so a lock can't be left behind. `instance` names what this directory's servers
 * make, so that the next one finds what a crash left and leaves other servers' things alone. Results are for the service's
 * user alone, whatever modes the directory had.
 * @throws {DataDirLocked | DataDirShared | DataDirDenied}
 */
export function openDataDir(path: string): { instance: string; close(): void } {
  try {
    makeDirectories(path, 0o700);
    closeToOthers(path);
  } catch (error) {
    throw denied(path, error);
  }
  const file = join(path, 'server.sqlite');
  try {
    return lockFile(file);
  } catch (error) {
    if (/locked/.test((error as Error).message)) {
      throw new DataDirLocked(
        `${path} is in use by another server: stop that one, or set CODEBEAKER_DATA_DIR to another directory.`,
      );
    }
    if (!isCorrupt(error)) throw denied(path, error);
    // The file held nothing but the instance's name.
    setAside(file);
    return lockFile(file);
  }
}

/** What a system's error means for who set the directory; any other error is itself. */
function denied(path: string, error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === undefined) return error;
  if (code === 'EACCES' || code === 'EROFS')
    return new DataDirDenied(
      `${path} can't be used by this user: set CODEBEAKER_DATA_DIR to a directory of their own.`,
    );
  return new DataDirDenied(
    `${path} can't be the data directory (${WHY[code] ?? message}): set CODEBEAKER_DATA_DIR to one that can be made and written in.`,
  );
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

/**
 * A directory that holds anything else as well keeps its mode, and the databases in it get theirs: a sandbox's trees hold
 * nothing of anybody's, and are read by other users.
 */
function closeToOthers(path: string): void {
  const names = readdirSync(path);
  const ours = names.every(name => [RECORDS, TREES, FILES].some(known => known.test(name)));
  if (statSync(path).mode & STICKY && (!ours || EVERYBODYS.includes(resolve(path)))) {
    throw new DataDirShared(
      `${path} is for everybody to write in: set CODEBEAKER_DATA_DIR to a directory of the service's own.`,
    );
  }
  try {
    if (ours) chmodSync(path, 0o700);
    for (const name of names) if (RECORDS.test(name)) chmodSync(join(path, name), 0o600);
  } catch (error) {
    const { code, path: others } = error as NodeJS.ErrnoException;
    if (code !== 'EPERM') throw error;
    throw new DataDirShared(
      `${others} belongs to another user, who could read results: make what the service has written in ${path} this user's, or set CODEBEAKER_DATA_DIR.`,
    );
  }
}
