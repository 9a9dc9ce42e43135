import { basename } from 'node:path/posix';
import {
  type FileEntry,
  FileRefused,
  type Files,
  type ListOptions,
  WORKSPACE,
} from '../../../src/sandbox.ts';

/** Files in a map, by absolute path; directories are what files lie below, and those that were made. */
export class MemoryFiles implements Files {
  readonly contents = new Map<string, Buffer>();
  readonly directories = new Set<string>([WORKSPACE]);
  /** Thrown by every write, e.g. for a full disk. */
  refusal: FileRefused | undefined;

  async write(path: string, data: Uint8Array, options: { append?: boolean } = {}): Promise<void> {
    if (this.refusal) throw this.refusal;
    const before = options.append ? (this.contents.get(path) ?? Buffer.alloc(0)) : Buffer.alloc(0);
    this.contents.set(path, Buffer.concat([before, data]));
  }

  async read(path: string, { offset = 0, length = Number.POSITIVE_INFINITY } = {}) {
    const data = this.#file(path);
    return { data: data.subarray(offset, offset + length), size: data.byteLength };
  }

  async makeDirectory(path: string): Promise<boolean> {
    const isNew = !this.directories.has(path);
    this.directories.add(path);
    return isNew;
  }

  async copy(from: string, to: string, { overwrite }: { overwrite: boolean }): Promise<number> {
    const data = this.#file(from);
    if (!overwrite && this.contents.has(to)) throw new FileRefused(`File exists: ${to}`);
    this.contents.set(to, data);
    return data.byteLength;
  }

  async move(from: string, to: string, options: { overwrite: boolean }): Promise<number> {
    const bytes = await this.copy(from, to, options);
    this.contents.delete(from);
    return bytes;
  }

  async remove(path: string): Promise<void> {
    if (!this.contents.delete(path) && !this.directories.delete(path))
      throw new FileRefused(`File not found: ${path}`);
  }

  async list(path: string, { includeHidden }: ListOptions): Promise<FileEntry[]> {
    return [...this.contents]
      .filter(([name]) => name.startsWith(`${path}/`))
      .filter(([name]) => includeHidden || !basename(name).startsWith('.'))
      .map(([name, data]) => ({
        name: basename(name),
        path: name.slice(path.length + 1),
        type: 'file',
        size: data.byteLength,
        modifiedAt: 0,
      }));
  }

  async clear(): Promise<void> {
    this.contents.clear();
  }

  #file(path: string): Buffer {
    const data = this.contents.get(path);
    if (!data) throw new FileRefused(`File not found: ${path}`);
    return data;
  }
}
