import { ServiceError } from '../../errors.ts';
import type {
  FileEntry,
  FileSink,
  FileSource,
  FileStatus,
  Files,
  ListOptions,
  ReadOptions,
  TransactionOptions,
  WriteOptions,
} from '../../sandbox.ts';
import type { Ledger } from '../admission/ledger.ts';

/**
 * A session's files for one command. What it reads and lists is counted while it arrives, and until the command
 * is over: whatever many sessions are asked for at once, the service holds no more than the ledger allows.
 */
export class CountedFiles implements Files, Disposable {
  readonly #files: Files;
  readonly #ledger: Ledger;
  readonly #owner: string | null;
  #held = 0;
  #over = false;

  constructor(files: Files, ledger: Ledger, owner: string | null) {
    this.#files = files;
    this.#ledger = ledger;
    this.#owner = owner;
  }

  read(path: string, options: ReadOptions = {}) {
    return this.#files.read(path, { ...options, take: bytes => this.#take(bytes) });
  }

  list(path: string, options: ListOptions): Promise<FileEntry[]> {
    return this.#files.list(path, { ...options, take: bytes => this.#take(bytes) });
  }

  inChain(ask: () => void): void {
    this.#files.inChain(ask);
  }

  write(path: string, data: Uint8Array, options?: { append?: boolean }): Promise<void> {
    return this.#files.write(path, data, options);
  }

  stat(path: string): Promise<FileStatus> {
    return this.#files.stat(path);
  }

  makeDirectory(path: string, options: { recursive: boolean }): Promise<boolean> {
    return this.#files.makeDirectory(path, options);
  }

  copy(from: string, to: string, options: { overwrite: boolean }): Promise<number> {
    return this.#files.copy(from, to, options);
  }

  move(from: string, to: string, options: { overwrite: boolean }): Promise<number> {
    return this.#files.move(from, to, options);
  }

  remove(path: string, options: { recursive: boolean }): Promise<void> {
    return this.#files.remove(path, options);
  }

  clear(): Promise<void> {
    return this.#files.clear();
  }

  link(path: string, target: string): Promise<void> {
    return this.#files.link(path, target);
  }

  /** Its pieces are the reader's to bound. */
  begin(options: TransactionOptions): Promise<void> {
    return this.#files.begin(options);
  }

  commit(): Promise<void> {
    return this.#files.commit();
  }

  rollBack(): Promise<void> {
    return this.#files.rollBack();
  }

  openRead(path: string): Promise<FileSource> {
    return this.#files.openRead(path);
  }

  openWrite(path: string, options?: WriteOptions): Promise<FileSink> {
    return this.#files.openWrite(path, options);
  }

  /** Gives back what was counted; what arrives later is refused. */
  [Symbol.dispose](): void {
    this.#over = true;
    this.#ledger.add(this.#owner, -this.#held);
    this.#held = 0;
  }

  #take(bytes: number): void {
    if (this.#over || !this.#ledger.take(this.#owner, bytes))
      throw new ServiceError('QUEUE_FULL', 'Too much is being read from sandboxes at once; try again later');
    this.#held += bytes;
  }
}
