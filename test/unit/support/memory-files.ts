import { createHash } from 'node:crypto';
import { basename, dirname } from 'node:path/posix';
import {
  type Expectation,
  type FileEntry,
  FileRefused,
  type FileSink,
  FileSkipped,
  type FileSource,
  type FileStatus,
  type Files,
  type ListOptions,
  type ReadOptions,
  type TransactionOptions,
  WORKSPACE,
  type WriteOptions,
} from '../../../src/sandbox.ts';
import { LIMITS } from '../../../src/schemas/limits.ts';

/** Of a file that is read in pieces. */
const PIECE_BYTES = 64 * 1024;

const versionOf = (data: Buffer) => createHash('sha256').update(data).digest('hex');

/** Files in a map, by absolute path, and the directories above them. */
export class MemoryFiles implements Files {
  readonly contents = new Map<string, Buffer>();
  readonly directories = new Set<string>([WORKSPACE]);
  /** Thrown by every operation: for a full disk, or when the sandbox is gone. */
  refusal: Error | undefined;
  /** Awaited by every read; one that never resolves is a disk that hangs. */
  beforeRead: () => Promise<void> = async () => {};
  /** Awaited by every piece of a file that is read in pieces. */
  beforePiece: () => Promise<void> = async () => {};
  /** Awaited by every piece of an upload. */
  beforeWrite: () => Promise<void> = async () => {};
  /** Awaited when a read has its data. */
  afterRead: () => Promise<void> = async () => {};

  /** A chain is being asked for; one of it has failed. */
  #chained = false;
  #broken = false;

  inChain(ask: () => void): void {
    this.#chained = true;
    this.#broken = false;
    ask();
    this.#chained = false;
  }

  /** What a transaction would put back. */
  #kept: { contents: Map<string, Buffer>; directories: Set<string> } | null = null;
  refuseToBegin: FileRefused | undefined;
  /** The transactions that were begun, and how each ended. */
  readonly transactions: string[] = [];

  async begin({ whole }: TransactionOptions): Promise<void> {
    this.#admit();
    if (this.refuseToBegin) {
      this.#broken = this.#chained;
      throw this.refuseToBegin;
    }
    this.transactions.push(whole ? 'begin whole' : 'begin');
    this.#kept = { contents: new Map(this.contents), directories: new Set(this.directories) };
  }

  async commit(): Promise<void> {
    this.#admit();
    this.transactions.push('commit');
    this.#kept = null;
  }

  async link(): Promise<void> {}

  async rollBack(): Promise<void> {
    this.#admit();
    this.transactions.push('rollBack');
    if (!this.#kept) throw this.#refused('No transaction is open');
    const { contents, directories } = this.#kept;
    this.contents.clear();
    this.directories.clear();
    for (const [path, data] of contents) this.contents.set(path, data);
    for (const path of directories) this.directories.add(path);
    this.#kept = null;
  }

  async write(path: string, data: Uint8Array, options: { append?: boolean } = {}): Promise<void> {
    this.#admit();
    if (this.directories.has(path)) throw this.#refused(`Is a directory: ${path}`);
    this.#makeParents(path);
    const before = options.append ? (this.contents.get(path) ?? Buffer.alloc(0)) : Buffer.alloc(0);
    this.contents.set(path, Buffer.concat([before, data]));
  }

  async read(path: string, { offset = 0, length, take }: ReadOptions = {}) {
    this.#admit();
    await this.beforeRead();
    const data = this.#file(path);
    if (length === undefined && data.byteLength - offset > LIMITS.readBytes)
      throw this.#refused(`File too large: ${path}`);
    const end = offset + Math.min(length ?? LIMITS.readBytes, LIMITS.readBytes);
    const part = data.subarray(offset, end);
    take?.(part.byteLength);
    await this.afterRead();
    return { data: Buffer.from(part), size: data.byteLength };
  }

  async makeDirectory(path: string, { recursive }: { recursive: boolean }): Promise<boolean> {
    this.#admit();
    if (this.contents.has(path)) throw this.#refused(`File exists: ${path}`);
    if (this.directories.has(path)) return false;
    if (!recursive && !this.directories.has(dirname(path)))
      throw this.#refused(`File not found: ${dirname(path)}`);
    this.#makeParents(path);
    this.directories.add(path);
    return true;
  }

  async copy(from: string, to: string, options: { overwrite: boolean }): Promise<number> {
    return this.#copy(from, to, options);
  }

  #copy(from: string, to: string, { overwrite }: { overwrite: boolean }): number {
    this.#admit();
    const data = this.#file(from);
    if (!overwrite && this.contents.has(to)) throw this.#refused(`File exists: ${to}`);
    this.#makeParents(to);
    this.contents.set(to, data);
    return data.byteLength;
  }

  async move(from: string, to: string, options: { overwrite: boolean }): Promise<number> {
    const bytes = this.#copy(from, to, options);
    this.contents.delete(from);
    return bytes;
  }

  async remove(
    path: string,
    { recursive, expects }: { recursive: boolean; expects?: Expectation },
  ): Promise<void> {
    this.#admit();
    this.#expect(path, expects);
    if (this.contents.delete(path)) return;
    if (!this.directories.has(path)) throw this.#refused(`File not found: ${path}`, 'missing');
    const below = [...this.contents.keys(), ...this.directories].filter(name => name.startsWith(`${path}/`));
    if (below.length > 0 && !recursive) throw this.#refused(`Directory not empty: ${path}`, 'exists');
    for (const name of [path, ...below]) {
      this.contents.delete(name);
      this.directories.delete(name);
    }
  }

  async list(path: string, { recursive, includeHidden, maxDepth }: ListOptions): Promise<FileEntry[]> {
    this.#admit();
    if (!this.directories.has(path)) throw this.#refused(`File not found: ${path}`, 'missing');
    const deepest = recursive ? maxDepth || Number.POSITIVE_INFINITY : 1;
    return [...this.contents.keys(), ...this.directories]
      .filter(name => name.startsWith(`${path}/`))
      .filter(name => {
        const parts = name.slice(path.length + 1).split('/');
        return parts.length <= deepest && (includeHidden || !parts.some(part => part.startsWith('.')));
      })
      .sort()
      .map(name => this.#entry(name));
  }

  async stat(path: string): Promise<FileStatus> {
    this.#admit();
    const data = this.directories.has(path) ? undefined : this.#file(path);
    const type = data ? 'file' : 'directory';
    return { type, size: data?.byteLength ?? 0, mode: data ? 0o644 : 0o755, modifiedAt: 0, target: null };
  }

  async clear(): Promise<void> {
    this.#admit();
    this.contents.clear();
    this.directories.clear();
    this.directories.add(WORKSPACE);
  }

  async openRead(path: string): Promise<FileSource> {
    const data = this.directories.has(path) ? Buffer.alloc(0) : this.#file(path);
    const { target: _, ...status } = await this.stat(path);
    const beforePiece = () => this.beforePiece();
    return {
      status: { ...status, version: versionOf(data) },
      async *read(offset, length) {
        for (let at = offset; at < offset + length; at += PIECE_BYTES) {
          await beforePiece();
          const piece = Buffer.from(data.subarray(at, Math.min(at + PIECE_BYTES, offset + length)));
          yield piece;
          // Its memory is used again.
          piece.fill('!');
        }
      },
      close: () => {},
    };
  }

  async openWrite(path: string, { append = false, expects }: WriteOptions = {}): Promise<FileSink> {
    this.#admit();
    if (this.directories.has(path)) throw this.#refused(`Is a directory: ${path}`, 'other_type');
    this.#expect(path, expects);
    const pieces: Buffer[] = [];
    return {
      write: async data => {
        this.#admit();
        await this.beforeWrite();
        pieces.push(Buffer.from(data));
      },
      commit: async () => {
        this.#expect(path, expects);
        const made = !this.contents.has(path);
        await this.write(path, Buffer.concat(pieces), { append });
        const { target: _, ...status } = await this.stat(path);
        return { ...status, version: versionOf(this.#file(path)), made };
      },
      abort: () => {},
    };
  }

  /** What a file holds, for tests. */
  text(path: string): string | undefined {
    return this.contents.get(path)?.toString();
  }

  #entry(name: string): FileEntry {
    const data = this.contents.get(name);
    return {
      name: basename(name),
      path: name.slice(WORKSPACE.length + 1),
      type: data ? 'file' : 'directory',
      size: data?.byteLength ?? 0,
      modifiedAt: 0,
    };
  }

  #expect(path: string, expects: Expectation | undefined): void {
    const data = this.contents.get(path);
    if (expects === undefined) return;
    const met =
      expects === 'nothing'
        ? !data
        : data && (expects === 'something' || expects.versions.includes(versionOf(data)));
    if (!met) throw this.#refused(`It is another version by now: ${path}`, 'changed');
  }

  #admit(): void {
    if (this.#chained && this.#broken) throw new FileSkipped('Not done');
    if (!this.refusal) return;
    this.#broken = this.#chained;
    throw this.refusal;
  }

  #refused(...why: ConstructorParameters<typeof FileRefused>): FileRefused {
    this.#broken = this.#chained;
    return new FileRefused(...why);
  }

  #makeParents(path: string): void {
    for (let parent = dirname(path); parent.length > 1; parent = dirname(parent))
      this.directories.add(parent);
  }

  #file(path: string): Buffer {
    const data = this.contents.get(path);
    if (data) return data;
    if (this.directories.has(path)) throw this.#refused(`Is a directory: ${path}`, 'other_type');
    throw this.#refused(`File not found: ${path}`, 'missing');
  }
}
