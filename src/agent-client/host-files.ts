import type {
  Counted,
  Expectation,
  FileEntry,
  FileSink,
  FileSource,
  FileStatus,
  Files,
  ListOptions,
  ReadOptions,
  SandboxLost,
  TransactionOptions,
  WriteOptions,
} from '../sandbox.ts';
import { LIMITS } from '../schemas/limits.ts';
import {
  DATA_FRAME_BYTES,
  decodeFailed,
  decodeFileReply,
  encodeFileRequest,
  type FileDetails,
  type FileReply,
  type FileRequest,
  FromAgent,
  type ListedEntry,
  ToAgent,
} from '../wire/messages.ts';
import { fileRefused } from './file-refused.ts';
import { openRead, openWrite } from './file-streams.ts';
import { timeOf } from './file-time.ts';
import { JoinedBytes } from './joined-bytes.ts';
import type { ChannelListener, Link } from './link.ts';

/** Most entries of one listing: more than a sandbox's inodes can't exist. */
const MAX_ENTRIES = 131_072;
/** Most frames of one read. The agent fills its frames. */
const MAX_READ_FRAMES = 2 * (LIMITS.readBytes / DATA_FRAME_BYTES);
/** Most bytes of all replies to one request. A listing of the longest names stays below. */
const MAX_REPLY_BYTES = 128 * 1024 * 1024;
/** Bytes that an entry of a listing takes in memory beside its path and name. */
const ENTRY_BYTES = 128;
const MODE_BITS = 0o7777;
/** A file of up to so many bytes leaves in one piece with what asks for it, which a copy costs less than. */
const COPIED_BYTES = 16 * 1024;

/** File operations through the agent: a channel each. */
export class HostFiles implements Files {
  readonly #link: Link;
  /** What is asked for now is sent at once, and in one piece. */
  #chained = false;

  constructor(link: Link) {
    this.#link = link;
  }

  inChain(ask: () => void): void {
    this.#link.send(ToAgent.fileChain, 0, Uint8Array.of(1));
    this.#chained = true;
    try {
      ask();
    } finally {
      this.#chained = false;
      this.#link.send(ToAgent.fileChain, 0, Uint8Array.of(0));
    }
  }

  async write(path: string, data: Uint8Array, { append = false } = {}): Promise<void> {
    await this.#ask({ op: 'write', path, append, size: data.byteLength }, { data });
  }

  async read(path: string, { offset = 0, length, take }: ReadOptions = {}) {
    const request = { op: 'read', path, offset, length: length ?? null, most: LIMITS.readBytes } as const;
    const answer = await this.#ask(request, { take });
    return { data: answer.data.take(), size: answer.value };
  }

  async makeDirectory(path: string, { recursive }: { recursive: boolean }): Promise<boolean> {
    return (await this.#ask({ op: 'makeDirectory', path, recursive })).value === 1;
  }

  async copy(from: string, to: string, { overwrite }: { overwrite: boolean }): Promise<number> {
    return (await this.#ask({ op: 'copy', from, to, overwrite })).value;
  }

  async move(from: string, to: string, { overwrite }: { overwrite: boolean }): Promise<number> {
    return (await this.#ask({ op: 'move', from, to, overwrite })).value;
  }

  async remove(
    path: string,
    { recursive, expects }: { recursive: boolean; expects?: Expectation },
  ): Promise<void> {
    await this.#ask({ op: 'remove', path, recursive, expects: expects ?? null });
  }

  async list(path: string, { take, recursive, includeHidden, maxDepth }: ListOptions): Promise<FileEntry[]> {
    return (await this.#ask({ op: 'list', path, recursive, includeHidden, maxDepth }, { take })).entries;
  }

  async clear(): Promise<void> {
    await this.#ask({ op: 'clear' });
  }

  async stat(path: string): Promise<FileStatus> {
    const { details } = await this.#ask({ op: 'stat', path });
    if (!details) throw new Error('a reply without details');
    const { type, mode, size, modifiedAt, target } = details;
    return { type, mode: mode & MODE_BITS, size, modifiedAt: timeOf(modifiedAt), target: target || null };
  }

  async begin({ whole, most }: TransactionOptions): Promise<void> {
    await this.#ask({ op: 'begin', whole, most });
  }

  async commit(): Promise<void> {
    await this.#ask({ op: 'commit' });
  }

  async rollBack(): Promise<void> {
    await this.#ask({ op: 'rollBack' });
  }

  async link(path: string, target: string): Promise<void> {
    await this.#ask({ op: 'link', path, target });
  }

  openRead(path: string): Promise<FileSource> {
    return openRead(this.#link, path);
  }

  openWrite(path: string, options?: WriteOptions): Promise<FileSink> {
    return openWrite(this.#link, path, options);
  }

  #ask(request: Question, more: More = {}): Promise<FileAnswer> {
    return this.#link.expect(this.#exchange(request, more));
  }

  async #exchange(request: Question, { data, take }: More): Promise<FileAnswer> {
    const answer = new FileAnswer(this.#link, request, take);
    const channel = answer.channel;
    this.#link.send(ToAgent.file, channel, encodeFileRequest(request));
    if (data) await this.#send(channel, data, answer);
    return answer.whole;
  }

  /** Resolves when the bytes have left: their memory is the caller's again. */
  async #send(channel: number, data: Uint8Array, answer: FileAnswer): Promise<void> {
    const isSmall = this.#chained || data.byteLength <= COPIED_BYTES;
    let left: Promise<void> | undefined;
    for (let at = 0; at < data.byteLength && !answer.over; at += DATA_FRAME_BYTES) {
      const part = data.subarray(at, at + DATA_FRAME_BYTES);
      if (isSmall) this.#link.send(ToAgent.fileData, channel, part);
      else {
        await this.#link.drained();
        left = this.#link.sendAsIs(ToAgent.fileData, channel, part);
      }
    }
    this.#link.send(ToAgent.fileData, channel);
    // They leave in their order.
    await left;
  }
}

/** A request with one answer. */
type Question = Extract<FileRequest, { op: FileReply['op'] }>;

interface More {
  readonly data?: Uint8Array;
  readonly take?: Counted['take'] | undefined;
}

function entryOf({ path, type, size, modifiedAt }: ListedEntry): FileEntry {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return { name, path, type, size, modifiedAt: timeOf(modifiedAt) };
}

/** The answer to one request, bounded in size. */
class FileAnswer implements ChannelListener {
  readonly channel: number;
  readonly whole: Promise<FileAnswer>;
  readonly data = new JoinedBytes();
  readonly entries: FileEntry[] = [];
  details: FileDetails | null = null;
  /** See {@link FileReply}; 0 for a listing. */
  value = 0;
  over = false;
  readonly #link: Link;
  readonly #request: Question;
  readonly #counted: (bytes: number) => void;
  readonly #whole = Promise.withResolvers<FileAnswer>();
  #bytes = 0;
  #frames = 0;
  #replyBytes = 0;
  #entryCount = 0;
  /** Nobody waits for it any more; what still arrives is dropped. */
  #refused = false;

  constructor(link: Link, request: Question, counted: Counted['take'] = () => {}) {
    this.#link = link;
    this.#request = request;
    this.#counted = counted;
    this.whole = this.#whole.promise;
    this.whole.catch(() => {});
    this.channel = link.open(this);
  }

  onMessage(kind: number, payload: Uint8Array, rest: number): void {
    if (kind === FromAgent.fileData) this.#take(payload, rest);
    else if (kind === FromAgent.fileDone) this.#reply(payload);
    else if (kind === FromAgent.failed) {
      this.#close();
      this.#whole.reject(fileRefused(decodeFailed(payload)));
    } else throw new Error(`kind ${kind} on a file operation`);
  }

  onLost(reason: SandboxLost): void {
    this.over = true;
    this.#whole.reject(reason);
  }

  #take(payload: Uint8Array, rest: number): void {
    const most =
      this.#request.op === 'read' ? Math.min(this.#request.length ?? LIMITS.readBytes, LIMITS.readBytes) : 0;
    this.#bytes += payload.byteLength;
    if (rest === 0) this.#frames++;
    if (this.#bytes > most || this.#frames > MAX_READ_FRAMES)
      throw new Error('more bytes than were asked for');
    if (this.#fits(payload.byteLength)) this.data.push(payload);
  }

  /** Counts bytes that arrived; refuses the whole answer when they don't fit. */
  #fits(bytes: number): boolean {
    if (this.#refused) return false;
    try {
      this.#counted(bytes);
    } catch (error) {
      this.#refused = true;
      this.data.take();
      this.entries.length = 0;
      this.#whole.reject(error);
    }
    return !this.#refused;
  }

  #reply(payload: Uint8Array): void {
    this.#replyBytes += payload.byteLength;
    if (this.#replyBytes > MAX_REPLY_BYTES) throw new Error('more of a reply than there can be');
    if (this.#listed(decodeFileReply(payload, this.#request.op), payload.byteLength)) return;
    this.#close();
    this.#whole.resolve(this);
  }

  /** Adds a reply; returns true when another one follows. */
  #listed(reply: FileReply, bytes: number): boolean {
    if (reply.op === 'stat') {
      this.details = reply;
      return false;
    }
    if ('more' in reply && reply.op !== 'list') return reply.more;
    if (reply.op !== 'list') {
      this.value = reply.value;
      return false;
    }
    const endless = reply.more && reply.entries.length === 0;
    this.#entryCount += reply.entries.length;
    if (endless || this.#entryCount > MAX_ENTRIES) throw new Error('more entries than there can be');
    if (this.#fits(bytes + reply.entries.length * ENTRY_BYTES))
      for (const entry of reply.entries) this.entries.push(entryOf(entry));
    return reply.more;
  }

  #close(): void {
    this.over = true;
    this.#link.close(this.channel);
  }
}
