import { decodeJson } from '../wire/frames.ts';
import { DATA_FRAME_BYTES, type FileReply, type FileRequest, FromAgent } from '../wire/messages.ts';
import { empty, type Listed, removeDirectory, walk } from './directories.ts';
import {
  AT_REMOVEDIR,
  c,
  check,
  E,
  errno,
  O,
  openDirectory,
  RENAME_NOREPLACE,
  SystemError,
  stat,
} from './libc.ts';
import type { Outbox } from './outbox.ts';
import { type Place, Refusal, Resolver, refusal } from './resolver.ts';

const FILE_MODE = 0o644;
const DIRECTORY_MODE = 0o755;
/** Never blocks, whatever lies there, and never gains a terminal. */
const SAFE = O.NOFOLLOW | O.NONBLOCK | O.NOCTTY | O.CLOEXEC;
/** Characters of names and paths in one reply, unless one entry alone has more: six times that fits a frame. */
const NAMES_PER_REPLY = 64 * 1024;
/** Characters of names and paths in one listing: paths of a deep tree add up to more than memory holds. */
const MAX_LISTING = 16 * 1024 * 1024;
/** What an entry of a listing takes beside its name and path, about. */
const ENTRY_CHARACTERS = 64;
const DOT = 46;

/** An answer on its way out, in pieces as the stream takes them; one step each. */
interface Answer {
  readonly path: string;
  readonly steps: Generator<void, void>;
}

/**
 * File operations below /workspace with the sandbox's own rights. Only regular files are read and written; a link is
 * followed as long as it stays inside; nothing a program plants there can make an operation block.
 */
export class AgentFiles {
  readonly #outbox: Outbox;
  readonly #resolver: Resolver;
  readonly #writes = new Map<number, { fd: number; path: string }>();
  readonly #answers = new Map<number, Answer>();

  constructor(outbox: Outbox, root: string) {
    this.#outbox = outbox;
    this.#resolver = new Resolver(root);
  }

  /** Opens a directory for a program to start in. */
  openDirectory(path: string): number {
    return this.#guard(path, () =>
      this.#at(path, { follow: true }, ({ dir, name }) => openDirectory(dir, name)),
    );
  }

  request(channel: number, payload: Uint8Array): void {
    const request = decodeJson(payload) as FileRequest;
    const path = 'path' in request ? request.path : 'from' in request ? request.from : this.#resolver.root;
    try {
      this.#guard(path, () => this.#do(channel, request));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#fail(channel, error);
    }
  }

  /** Bytes of a write; none end it. What follows a failure is dropped. */
  data(channel: number, bytes: Uint8Array): void {
    const write = this.#writes.get(channel);
    if (!write) return;
    try {
      if (bytes.byteLength > 0) return this.#guard(write.path, () => writeAll(write.fd, bytes));
      this.#endWrite(channel, write.fd);
      this.#done(channel, { op: 'write' });
    } catch (error) {
      this.#endWrite(channel, write.fd);
      this.#fail(channel, error as Error);
    }
  }

  /** Sends as much of the open answers as the stream takes. */
  advance(): void {
    for (const [channel, answer] of this.#answers) {
      while (!this.#outbox.full && this.#step(channel, answer));
    }
  }

  get answering(): boolean {
    return this.#answers.size > 0;
  }

  /** False when the answer is complete. */
  #step(channel: number, { path, steps }: Answer): boolean {
    try {
      if (!this.#guard(path, () => steps.next()).done) return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#fail(channel, error);
    }
    this.#answers.delete(channel);
    return false;
  }

  #answer(channel: number, path: string, steps: Generator<void, void>): void {
    this.#answers.set(channel, { path, steps });
    this.advance();
  }

  #do(channel: number, request: FileRequest): void {
    switch (request.op) {
      case 'write':
        return this.#write(channel, request.path, request.append);
      case 'read':
        return this.#answer(channel, request.path, this.#read(channel, request));
      case 'list':
        return this.#answer(channel, request.path, this.#list(channel, request));
      default:
        this.#done(channel, this.#atOnce(request));
    }
  }

  #atOnce(request: Exclude<FileRequest, { op: 'write' | 'read' | 'list' }>): FileReply {
    switch (request.op) {
      case 'makeDirectory':
        return { op: 'makeDirectory', created: this.#makeDirectory(request.path, request.recursive) };
      case 'copy':
        return { op: 'copy', bytes: this.#copy(request.from, request.to, request.overwrite) };
      case 'move':
        return { op: 'move', bytes: this.#move(request.from, request.to, request.overwrite) };
      case 'remove':
        this.#remove(request.path, request.recursive);
        return { op: 'remove' };
      case 'clear':
        this.#inDirectory(this.#resolver.root, empty);
        return { op: 'clear' };
      default:
        throw new Error('an unknown file operation');
    }
  }

  #write(channel: number, path: string, append: boolean): void {
    const flags = O.WRONLY | O.CREAT | (append ? O.APPEND : 0);
    const fd = this.#at(path, { follow: true, makeParents: true }, place =>
      this.#openFile(place, flags, path),
    );
    // Only now that it is known to be a regular file.
    if (!append) check('ftruncate', c.ftruncate(fd, 0));
    this.#writes.set(channel, { fd, path });
  }

  *#read(channel: number, request: Extract<FileRequest, { op: 'read' }>): Generator<void, void> {
    const { path, offset, length, most } = request;
    const fd = this.#at(path, { follow: true }, place => this.#openFile(place, O.RDONLY, path));
    try {
      const { size } = stat(fd);
      const rest = Math.max(0, size - offset);
      if (length === null && rest > most)
        throw new Refusal(`File too large to read at once (${size} bytes; give offset and length): ${path}`);
      const end = offset + Math.min(length ?? rest, rest, most);
      for (let at = offset; at < end; yield) {
        const most = Math.min(end - at, DATA_FRAME_BYTES);
        const got = this.#outbox.fill(FromAgent.fileData, channel, most, place =>
          check('pread', c.pread(fd, place, place.byteLength, at)),
        );
        // It was shortened meanwhile.
        if (got === 0) break;
        at += got;
      }
      this.#done(channel, { op: 'read', size });
    } finally {
      c.close(fd);
    }
  }

  #makeDirectory(path: string, recursive: boolean): boolean {
    return this.#at(path, { follow: true, makeParents: recursive }, ({ dir, name }) => {
      if (c.mkdirat(dir, name, DIRECTORY_MODE) === 0) return true;
      if (errno() !== E.EEXIST) throw refusal(errno(), path);
      if (stat(dir, name).type !== 'directory') throw new Refusal(`File exists: ${path}`);
      return false;
    });
  }

  #copy(from: string, to: string, overwrite: boolean): number {
    const source = this.#at(from, { follow: true }, place => this.#openFile(place, O.RDONLY, from));
    let target = -1;
    try {
      const flags = O.WRONLY | O.CREAT | (overwrite ? 0 : EXCL);
      target = this.#guard(to, () =>
        this.#at(to, { follow: true, makeParents: true }, place => this.#openFile(place, flags, to)),
      );
      if (sameFile(source, target)) return stat(source).size;
      check('ftruncate', c.ftruncate(target, 0));
      return this.#guard(to, () => copyAll(source, target));
    } finally {
      c.close(source);
      if (target >= 0) c.close(target);
    }
  }

  #move(from: string, to: string, overwrite: boolean): number {
    return this.#at(from, { follow: false }, source => {
      const { type, size } = stat(source.dir, source.name);
      return this.#guard(to, () =>
        this.#at(to, { follow: false, makeParents: true }, target => {
          const flags = overwrite ? 0 : RENAME_NOREPLACE;
          check('renameat2', c.renameat2(source.dir, source.name, target.dir, target.name, flags));
          return type === 'file' ? size : 0;
        }),
      );
    });
  }

  #remove(path: string, recursive: boolean): void {
    this.#at(path, { follow: false }, ({ dir, name }) => {
      if (name[0] === DOT && name[1] === 0) throw new Refusal(`Cannot be deleted: ${path}`);
      if (stat(dir, name).type !== 'directory') return check('unlinkat', c.unlinkat(dir, name, 0));
      if (!recursive) {
        if (c.unlinkat(dir, name, AT_REMOVEDIR) === 0) return 0;
        if (errno() !== E.ENOTEMPTY) throw refusal(errno(), path);
        throw new Refusal(`Directory not empty: ${path} (recursive deletes it all)`);
      }
      return removeDirectory(dir, name);
    });
  }

  *#list(channel: number, request: Extract<FileRequest, { op: 'list' }>): Generator<void, void> {
    const { path } = request;
    const base = (this.#resolver.below(path) ?? []).join('/');
    const top = this.#at(path, { follow: true }, ({ dir, name }) => openDirectory(dir, name));
    try {
      let entries: Listed[] = [];
      let held = 0;
      let total = 0;
      for (const entry of walk(top, base, request)) {
        const length = entry[0].length + entry[1].length;
        total += length;
        if (total > MAX_LISTING) throw new Refusal(`Too much to list at once: ${path}`);
        entries.push(entry);
        held += length + ENTRY_CHARACTERS;
        if (held < NAMES_PER_REPLY) continue;
        this.#done(channel, { op: 'list', entries, more: true });
        yield;
        entries = [];
        held = 0;
      }
      this.#done(channel, { op: 'list', entries, more: false });
    } finally {
      c.close(top);
    }
  }

  #at<T>(path: string, options: { follow: boolean; makeParents?: boolean }, use: (place: Place) => T): T {
    return this.#resolver.at(path, options, use);
  }

  #inDirectory<T>(path: string, use: (fd: number) => T): T {
    const fd = this.#at(path, { follow: true }, ({ dir, name }) => openDirectory(dir, name));
    try {
      return use(fd);
    } finally {
      c.close(fd);
    }
  }

  /** Opens a regular file and nothing else. */
  #openFile({ dir, name }: Place, flags: number, path: string): number {
    const fd = check('openat', c.openat(dir, name, flags | SAFE, FILE_MODE));
    const { type } = stat(fd);
    if (type === 'file') return fd;
    c.close(fd);
    throw new Refusal(type === 'directory' ? `Is a directory: ${path}` : `Not a regular file: ${path}`);
  }

  /** Turns a failed system call into a sentence about the path. */
  #guard<T>(path: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      // Opening a FIFO without a reader for writing says ENXIO.
      if (error instanceof SystemError)
        throw error.errno === 6 ? new Refusal(`Not a regular file: ${path}`) : refusal(error.errno, path);
      throw error;
    }
  }

  #endWrite(channel: number, fd: number): void {
    this.#writes.delete(channel);
    c.close(fd);
  }

  #done(channel: number, reply: FileReply): void {
    this.#outbox.sendJson(FromAgent.fileDone, channel, reply);
  }

  #fail(channel: number, error: Error): void {
    this.#outbox.sendJson(FromAgent.failed, channel, { reason: 'refused', message: error.message });
  }
}

const EXCL = 0o200;

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.byteLength; ) {
    const part = bytes.subarray(at);
    at += check('write', c.write(fd, part, part.byteLength));
  }
}

function copyAll(from: number, to: number): number {
  const buffer = new Uint8Array(256 * 1024);
  let total = 0;
  while (true) {
    const got = check('read', c.read(from, buffer, buffer.byteLength));
    if (got === 0) return total;
    writeAll(to, buffer.subarray(0, got));
    total += got;
  }
}

function sameFile(a: number, b: number): boolean {
  return stat(a).inode === stat(b).inode;
}
