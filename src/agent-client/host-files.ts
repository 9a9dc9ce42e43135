import { type FileEntry, FileRefused, type Files, type ListOptions, type SandboxLost } from '../sandbox.ts';
import { LIMITS } from '../schemas/limits.ts';
import { decodeJson } from '../wire/frames.ts';
import {
  DATA_FRAME_BYTES,
  type FailedMessage,
  type FileReply,
  type FileRequest,
  FromAgent,
  ToAgent,
} from '../wire/messages.ts';
import type { Link, Listener } from './agent-client.ts';

/** Entries of one listing; more than a sandbox's inodes is a lie. */
const MAX_ENTRIES = 131_072;
/** Frames of one read; the agent fills them. */
const MAX_READ_FRAMES = 2 * (LIMITS.readBytes / DATA_FRAME_BYTES);
/** All replies to one request together; a listing of the longest names stays below. */
const MAX_REPLY_BYTES = 128 * 1024 * 1024;
/** ECMA-262, Time Values. */
const MAX_TIME_MS = 8.64e15;

/** File operations through the agent: a channel each. */
export class HostFiles implements Files {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  async write(path: string, data: Uint8Array, { append = false } = {}): Promise<void> {
    await this.#ask({ op: 'write', path, append }, data);
  }

  async read(path: string, { offset = 0, length }: { offset?: number; length?: number } = {}) {
    const answer = await this.#ask({
      op: 'read',
      path,
      offset,
      length: length ?? null,
      most: LIMITS.readBytes,
    });
    const reply = answer.replies[0];
    if (reply?.op !== 'read') throw new FileRefused('the sandbox gave no answer');
    return { data: Buffer.concat(answer.data), size: reply.size };
  }

  async makeDirectory(path: string, { recursive }: { recursive: boolean }): Promise<boolean> {
    const [reply] = (await this.#ask({ op: 'makeDirectory', path, recursive })).replies;
    return reply?.op === 'makeDirectory' && reply.created === true;
  }

  copy(from: string, to: string, { overwrite }: { overwrite: boolean }): Promise<number> {
    return this.#bytes({ op: 'copy', from, to, overwrite });
  }

  move(from: string, to: string, { overwrite }: { overwrite: boolean }): Promise<number> {
    return this.#bytes({ op: 'move', from, to, overwrite });
  }

  async remove(path: string, { recursive }: { recursive: boolean }): Promise<void> {
    await this.#ask({ op: 'remove', path, recursive });
  }

  async list(path: string, { recursive, includeHidden, maxDepth }: ListOptions): Promise<FileEntry[]> {
    const { replies } = await this.#ask({ op: 'list', path, recursive, includeHidden, maxDepth });
    return replies.flatMap(reply => (reply.op === 'list' ? reply.entries.map(entryOf) : []));
  }

  async clear(): Promise<void> {
    await this.#ask({ op: 'clear' });
  }

  async #bytes(request: FileRequest): Promise<number> {
    const [reply] = (await this.#ask(request)).replies;
    return reply && 'bytes' in reply && typeof reply.bytes === 'number' ? reply.bytes : 0;
  }

  #ask(request: FileRequest, data?: Uint8Array): Promise<Answer> {
    return this.#link.expect(this.#exchange(request, data));
  }

  async #exchange(request: FileRequest, data?: Uint8Array): Promise<Answer> {
    const answer = new Answer(this.#link, request);
    const channel = answer.channel;
    this.#link.sendJson(ToAgent.file, channel, request);
    if (data) await this.#send(channel, data, answer);
    return answer.whole;
  }

  async #send(channel: number, data: Uint8Array, answer: Answer): Promise<void> {
    for (let at = 0; at < data.byteLength && !answer.over; at += DATA_FRAME_BYTES) {
      await this.#link.drained();
      this.#link.send(ToAgent.fileData, channel, data.subarray(at, at + DATA_FRAME_BYTES));
    }
    this.#link.send(ToAgent.fileData, channel);
  }
}

/** Whether what the agent says can be an answer at all. */
function fits(reply: unknown, op: FileRequest['op']): reply is FileReply {
  if (typeof reply !== 'object' || reply === null || (reply as FileReply).op !== op) return false;
  return op !== 'list' || isListing((reply as { entries?: unknown }).entries);
}

function isListing(entries: unknown): boolean {
  return Array.isArray(entries) && entries.every(entry => Array.isArray(entry) && entry.length === 5);
}

function entryOf([name, path, type, size, modifiedAt]: [string, string, string, number, number]): FileEntry {
  const known = type === 'file' || type === 'directory' || type === 'symlink' ? type : 'other';
  return {
    name: String(name),
    path: String(path),
    type: known,
    size: Number(size),
    // Programs set what times they like; a Date holds no more.
    modifiedAt: Math.max(-MAX_TIME_MS, Math.min(Number(modifiedAt) || 0, MAX_TIME_MS)),
  };
}

/** Collects the answer to one request, bounded. */
class Answer implements Listener {
  readonly channel: number;
  readonly whole: Promise<Answer>;
  readonly data: Uint8Array[] = [];
  readonly replies: FileReply[] = [];
  over = false;
  readonly #link: Link;
  readonly #request: FileRequest;
  readonly #whole = Promise.withResolvers<Answer>();
  #bytes = 0;
  #entries = 0;
  #replyBytes = 0;

  constructor(link: Link, request: FileRequest) {
    this.#link = link;
    this.#request = request;
    this.whole = this.#whole.promise;
    this.whole.catch(() => {});
    this.channel = link.open(this);
  }

  heard(kind: number, payload: Uint8Array): void {
    if (kind === FromAgent.fileData) this.#take(payload);
    else if (kind === FromAgent.fileDone) this.#reply(payload);
    else if (kind === FromAgent.failed) {
      this.#close();
      this.#whole.reject(
        new FileRefused(String((decodeJson(payload) as FailedMessage).message).slice(0, 8192)),
      );
    } else throw new Error(`kind ${kind} on a file operation`);
  }

  lost(reason: SandboxLost): void {
    this.over = true;
    this.#whole.reject(reason);
  }

  #take(payload: Uint8Array): void {
    const most =
      this.#request.op === 'read' ? Math.min(this.#request.length ?? LIMITS.readBytes, LIMITS.readBytes) : 0;
    this.#bytes += payload.byteLength;
    if (this.#bytes > most || this.data.length >= MAX_READ_FRAMES)
      throw new Error('more bytes than were asked for');
    this.data.push(new Uint8Array(payload));
  }

  #reply(payload: Uint8Array): void {
    this.#replyBytes += payload.byteLength;
    if (this.#replyBytes > MAX_REPLY_BYTES) throw new Error('more of a reply than there can be');
    const reply = decodeJson(payload);
    if (!fits(reply, this.#request.op)) throw new Error('an answer to another question');
    this.replies.push(reply);
    if (reply.op === 'list') {
      this.#entries += reply.entries.length;
      const endless = reply.more && reply.entries.length === 0;
      if (endless || this.#entries > MAX_ENTRIES) throw new Error('more entries than there can be');
      if (reply.more) return;
    }
    this.#close();
    this.#whole.resolve(this);
  }

  #close(): void {
    this.over = true;
    this.#link.close(this.channel);
  }
}
