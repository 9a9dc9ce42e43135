import { decodeJson } from '../wire/frames.ts';
import { DATA_FRAME_BYTES, type FileReply, type FileRequest, FromAgent } from '../wire/messages.ts';
import { empty, type Listed, walk } from './directories.ts';
import {
  AT_REMOVEDIR,
  c,
  check,
  diskUse,
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
const ENTRIES_PER_REPLY = 1000;
/** Characters of names and paths in one reply, unless one entry alone has more: six times that fits a frame. */
const NAMES_PER_REPLY = 128 * 1024;
/** Characters of names and paths in one listing: paths of a deep tree add up to more than memory holds. */
const MAX_LISTING = 16 * 1024 * 1024;

/** A read on its way out, in pieces as the stream takes them. */
interface Reading {
  readonly channel: number;
  readonly fd: number;
  readonly size: number;
  readonly path: string;
  at: number;
  left: number;
}

/**
 * File operations below /workspace with the sandbox's own rights. Only regular files are read and written; a link is
 * followed as long as it stays inside; nothing a program plants there can make an operation block.
 */
export class AgentFiles {
  readonly #outbox: Outbox;
  readonly #resolver: Resolver;
  readonly #writes = new Map<number, { fd: number; path: string }>();
  readonly #reads = new Set<Reading>();

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

  /** Sends as much of the open reads as the stream takes. */
  advance(): void {
    for (const reading of this.#reads) while (!this.#outbox.full && this.#advance(reading));
  }

  get reading(): boolean {
    return this.#reads.size > 0;
  }

  #do(channel: number, request: FileRequest): void {
    switch (request.op) {
      case 'write':
        return this.#write(channel, request.path, request.append);
      case 'read':
        return this.#read(channel, request);
      case 'makeDirectory':
        return this.#done(channel, {
          op: 'makeDirectory',
          created: this.#makeDirectory(request.path, request.recursive),
        });
      case 'copy':
        return this.#done(channel, {
          op: 'copy',
          bytes: this.#copy(request.from, request.to, request.overwrite),
        });
      case 'move':
        return this.#done(channel, {
          op: 'move',
          bytes: this.#move(request.from, request.to, request.overwrite),
        });
      case 'remove':
        this.#remove(request.path, request.recursive);
        return this.#done(channel, { op: 'remove' });
      case 'list':
        return this.#list(channel, request);
      case 'clear':
        this.#inDirectory(this.#resolver.root, empty);
        return this.#done(channel, { op: 'clear' });
      case 'disk':
        return this.#done(channel, { op: 'disk', ...this.#inDirectory(this.#resolver.root, diskUse) });
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

  #read(channel: number, { path, offset, length, most }: Extract<FileRequest, { op: 'read' }>): void {
    const fd = this.#at(path, { follow: true }, place => this.#openFile(place, O.RDONLY, path));
    const { size } = stat(fd);
    const rest = Math.max(0, size - offset);
    const left = Math.min(length ?? rest, rest, most);
    if (length === null && rest > most) {
      c.close(fd);
      throw new Refusal(`File too large to read at once (${size} bytes; give offset and length): ${path}`);
    }
    this.#reads.add({ channel, fd, size, path, at: offset, left });
    this.advance();
  }

  /** Sends one piece; false when the read is over. */
  #advance(reading: Reading): boolean {
    const piece = new Uint8Array(Math.min(reading.left, DATA_FRAME_BYTES));
    const got = piece.byteLength && Number(c.pread(reading.fd, piece, piece.byteLength, reading.at));
    if (got > 0) {
      this.#outbox.send(FromAgent.fileData, reading.channel, piece.subarray(0, got));
      reading.at += got;
      reading.left -= got;
      return true;
    }
    this.#reads.delete(reading);
    c.close(reading.fd);
    if (got < 0) this.#fail(reading.channel, refusal(errno(), reading.path));
    else this.#done(reading.channel, { op: 'read', size: reading.size });
    return false;
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
      if (stat(dir, name).type !== 'directory') return check('unlinkat', c.unlinkat(dir, name, 0));
      if (!recursive) throw new Refusal(`Is a directory: ${path} (recursive deletes it)`);
      const fd = openDirectory(dir, name);
      try {
        empty(fd);
      } finally {
        c.close(fd);
      }
      return check('unlinkat', c.unlinkat(dir, name, AT_REMOVEDIR));
    });
  }

  #list(channel: number, request: Extract<FileRequest, { op: 'list' }>): void {
    const base = (this.#resolver.below(request.path) ?? []).join('/');
    this.#inDirectory(request.path, fd => {
      let entries: Listed[] = [];
      let held = 0;
      let total = 0;
      for (const entry of walk(fd, base, request)) {
        const length = entry[0].length + entry[1].length;
        total += length;
        if (total > MAX_LISTING) throw new Refusal(`Too much to list at once: ${request.path}`);
        if (entries.length === ENTRIES_PER_REPLY || held + length > NAMES_PER_REPLY) {
          this.#done(channel, { op: 'list', entries, more: true });
          entries = [];
          held = 0;
        }
        held += length;
        entries.push(entry);
      }
      this.#done(channel, { op: 'list', entries, more: false });
    });
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
