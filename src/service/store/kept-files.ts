import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { type FileHandle, mkdir, open, rm, rmdir, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { FileRefused, type FileSource, type OpenFile } from '../../sandbox.ts';

const PIECE_BYTES = 256 * 1024;
/** What stays free on the disk for everything else, bytes: the database is on it as well. */
const FREE_BYTES = 256 * 1024 * 1024;
const FOR_US = { directory: 0o700, file: 0o600 };

/**
 * Files of executions that are too large to be in their rows: `DIRECTORY/EXECUTION/NUMBER`. Each is written once, before its execution has
 * ended, and goes with the row. Whoever wrote one removes it again when the row can't be written.
 */
export class KeptFiles {
  readonly directory: string;
  /** Bytes that are still to come of all that is being written. */
  #owed = 0;

  /** Made when there is something for it. */
  constructor(directory: string) {
    this.directory = directory;
  }

  /** Copies all of an open file. @throws {FileRefused | SandboxLost} and nothing of it is left */
  async write(executionId: string, number: number, source: FileSource, signal: AbortSignal): Promise<void> {
    const { size } = source.status;
    const directory = join(this.directory, executionId);
    await mkdir(directory, { recursive: true, mode: FOR_US.directory });
    let owed = size;
    this.#owed += owed;
    const onWritten = (bytes: number) => {
      owed -= bytes;
      this.#owed -= bytes;
    };
    try {
      await this.#checkRoom();
      await this.#copy(this.#path(executionId, number), source, { signal, onWritten });
    } catch (error) {
      // Others of the execution may be there.
      await rmdir(directory).catch(() => {});
      throw isFull(error) ? new FileRefused('The disk of the service is full', 'full') : error;
    } finally {
      this.#owed -= owed;
    }
  }

  async #copy(
    path: string,
    source: FileSource,
    { signal, onWritten }: { signal: AbortSignal; onWritten: (bytes: number) => void },
  ): Promise<void> {
    const { size } = source.status;
    const handle = await open(path, 'wx', FOR_US.file);
    try {
      let written = 0;
      for await (const piece of source.read(0, size)) {
        if (signal.aborted) break;
        await handle.writeFile(piece);
        written += piece.byteLength;
        onWritten(piece.byteLength);
      }
      if (written < size) throw new FileRefused('It was not read to its end');
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
  }

  /** Opens one, to be read piece by piece. @throws {FileRefused} it is not there any more, or not all of its `bytes` */
  async open(executionId: string, number: number, bytes: number): Promise<FileSource> {
    const handle = await open(this.#path(executionId, number), 'r').catch(() => {
      throw gone();
    });
    const { size, mtimeMs } = await handle.stat();
    // It may be going right now, or the machine has lost its power.
    if (size !== bytes) {
      await handle.close();
      throw gone();
    }
    const status: OpenFile = {
      type: 'file',
      mode: 0o644,
      size,
      modifiedAt: mtimeMs,
      version: `${executionId}-${number}`,
    };
    return {
      status,
      read: (offset, length) => pieces(handle, offset, length),
      close: () => void handle.close().catch(() => {}),
    };
  }

  async remove(executionId: string): Promise<void> {
    await rm(join(this.directory, executionId), { recursive: true, force: true });
  }

  /** For all that is being written. */
  async #checkRoom(): Promise<void> {
    const { bavail, bsize } = await statfs(this.directory);
    if (bavail * bsize < this.#owed + FREE_BYTES)
      throw new FileRefused('The disk of the service has no room for it', 'full');
  }

  #path(executionId: string, number: number): string {
    return join(this.directory, executionId, String(number));
  }
}

/** Removes the files of an execution. Who reads one finds it cut off at once: its room is needed, and nobody can hold it. */
export function forgetFiles(directory: string, executionId: string): void {
  const below = join(directory, executionId);
  for (const name of namesIn(below)) truncateSync(join(below, name));
  rmSync(below, { recursive: true, force: true });
}

/** Removes those of all executions but the ones that are known, where nothing was begun for so long, milliseconds. */
export function sweepFiles(
  directory: string,
  ageMs: number,
  isKnown: (executionId: string) => boolean,
): void {
  for (const executionId of namesIn(directory)) {
    const below = join(directory, executionId);
    const begun = statSync(below, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if ((ageMs > 0 && begun > Date.now() - ageMs) || isKnown(executionId)) continue;
    rmSync(below, { recursive: true, force: true });
  }
}

async function* pieces(handle: FileHandle, offset: number, length: number): AsyncGenerator<Uint8Array, void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, Math.max(length, 1)));
  for (let at = offset; at < offset + length; ) {
    const most = Math.min(buffer.byteLength, offset + length - at);
    const { bytesRead } = await handle.read(buffer, 0, most, at);
    if (bytesRead === 0) throw gone();
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function gone(): FileRefused {
  return new FileRefused('The file is gone: its result is not kept any more', 'missing');
}

function isFull(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOSPC' || code === 'EDQUOT';
}
