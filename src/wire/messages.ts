import type { TerminalSize } from '../sandbox.ts';
import { FieldReader, FieldWriter } from './fields.ts';

/**
 * The language between the service and the agent inside a sandbox, over one byte stream in each direction.
 *
 * A frame is `u32 length, u8 kind, u32 channel, payload`, little endian; `length` counts kind, channel and payload.
 * Either end treats a frame over {@link MAX_FRAME_BYTES}, an unknown kind or a malformed payload as the end of the
 * sandbox. A channel is a number the service picks: one per process and one per file operation; numbers are never
 * used twice. Payloads are fields (fields.ts) where a type is named below and raw bytes where not; src/agent/protocol.h
 * says the same to the agent.
 *
 * What comes from the agent is hostile input all the same: the program beside it may have got the better of it.
 */

/** Of this language; an agent that names another in `ready` is given up. */
export const PROTOCOL_VERSION = 11;

export const MAX_FRAME_BYTES = 1024 * 1024;
/** Payload of a `spawn`: one frame with its header. The kernel takes little more (execve(2), ARG_MAX). */
export const MAX_SPAWN_BYTES = MAX_FRAME_BYTES - 64;
/** Payload of one data frame; small enough that control frames never wait long behind data. */
export const DATA_FRAME_BYTES = 64 * 1024;
/** Output and control the agent may send on one channel before the service has granted more; see `credit`. */
export const OUTPUT_WINDOW_BYTES = 256 * 1024;
/** What each of those frames counts beside its payload, so that single bytes can't fill the service's memory. */
export const OUTPUT_FRAME_COST = 256;
/** Standard input the service may send before the agent says with `inputTaken` that a program has read it. */
export const INPUT_WINDOW_BYTES = 256 * 1024;

/**
 * What one side of a stream may send before the other has granted more; see `streamWindow`. All that waits for its turn in front of a
 * message that is no stream's.
 */
export const STREAM_WINDOW_BYTES = 512 * 1024;
/** What each of its frames counts beside its payload. */
export const STREAM_FRAME_COST = 256;

/** Kinds the service sends. */
export const ToAgent = {
  /** {@link SpawnMessage}: answered by `spawned` or `failed`. */
  spawn: 1,
  /** Bytes for standard input. */
  input: 2,
  /** End of standard input. Empty. */
  endInput: 3,
  /** Bytes for descriptor 3. */
  control: 4,
  /** u32: the signal's number on this architecture. */
  signal: 5,
  /** u8 flags: 1 keeps the program itself, 2 lets interpreters write what they hold of their output; see src/agent/tree.h. */
  kill: 6,
  /** u32: output and control the service has consumed, frames' cost included; the agent may send as much more. */
  credit: 7,
  /**
   * u8: 0 makes a named pipe for the next cell, 1 a file that `wholeInput` fills. Answered by `inputOpened`, for a file once it is
   * whole, unless the program has ended.
   */
  openInput: 8,
  /** Empty, on channel 0: the service is still there; see `--silence` of the agent. */
  alive: 9,
  /** {@link SpawnMessage}: makes the pipes of a program that is started elsewhere; answered by `prepared` or `failed`. */
  prepare: 10,
  /** u32: its number as the agent sees it, once it was started; 0: it is to be started after all. Answered as a spawn is. */
  adopt: 11,
  /**
   * Bytes of a standard input that is a file; an empty frame ends it. For a program that was started with
   * {@link SpawnMessage.stdin} `either`, or after `openInput`.
   */
  wholeInput: 12,
  /** The same for a program whose `spawn` follows on this channel. */
  spawnInput: 13,
  /** {@link ShownLimits}, on channel 0. */
  showLimits: 14,
  /** {@link TerminalSize} of a program that has one. */
  resizeTerminal: 15,
  /** {@link FileRequest}: answered by `fileDone` or `failed`; a write is followed by `fileData` frames. */
  file: 16,
  /** Bytes of a write; an empty frame ends it. */
  fileData: 17,
  /** Bytes of a stream that a request has opened on this channel, as the next three. */
  streamData: 18,
  /** No more bytes come from this side, with what its kind adds. */
  streamEnd: 19,
  /** u32: bytes consumed, frames' cost included; the other side may send as many more. */
  streamWindow: 20,
  /** Gives the stream up: what was not finished is undone, and nothing follows. Empty. */
  streamReset: 21,
  /** Empty: a program that is `held` begins. Answered as its spawn is. */
  begin: 22,
  /**
   * u8, on channel 0: 1 begins a chain, 0 ends it. Of the file requests in it, none is done after one that has failed: those are answered
   * by `failed` with `skipped`.
   */
  fileChain: 24,
} as const;

/** Kinds the agent sends. */
export const FromAgent = {
  /** u32: {@link PROTOCOL_VERSION}, once, first, on channel 0. */
  ready: 64,
  /** u32: the program's number, as the sandbox counts. */
  spawned: 65,
  /** {@link FailedMessage} */
  failed: 66,
  stdout: 67,
  stderr: 68,
  control: 69,
  /** {@link ExitMessage}; nothing follows on this channel. */
  exit: 70,
  /** u32: bytes of input a program has taken. */
  inputTaken: 71,
  /** UTF-8 path of the named pipe or file; empty where none could be made. */
  inputOpened: 72,
  /** u32, on channel 0: 1 once a disk that programs can write is full, 0 when it is no more; before what it explains. */
  disk: 73,
  /** {@link PreparedMessage} */
  prepared: 74,
  /** Empty, on channel 0: what follows is the agent's end, for want of memory. */
  outOfMemory: 75,
  /** u32: the number, as the agent sees it, of a process that becomes the program once it is told to `begin`. */
  held: 76,
  /** {@link FileReply}; a read's bytes come before it as `fileData`. */
  fileDone: 80,
  /** Bytes of a read. */
  fileData: 81,
  /** The stream that was asked for is there, with what its kind tells. */
  streamOpened: 82,
  /** As the service's of that name. */
  streamData: 83,
  streamEnd: 84,
  streamWindow: 85,
  /** {@link FailedMessage}: it has failed, and nothing of it remains. */
  streamReset: 86,
} as const;

export interface SpawnMessage {
  argv: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  /** `either`: a pipe, and as descriptor 4 a file that is empty until `wholeInput` fills it. */
  stdin: 'none' | 'pipe' | 'file' | 'either';
  control: boolean;
  live: boolean;
  /** It waits for `begin`, before its first instruction, so that it can be put into a control group. */
  held: boolean;
  /** It may trace what it starts (ptrace(2)). */
  traces: boolean;
  /** Its standard streams are one terminal, whatever `stdin` says. */
  pty?: TerminalSize | undefined;
}

const STDIN_FLAGS = { none: 0, pipe: 1, file: 4, either: 5 } as const;

/**
 * `u8 flags (1: pipe as stdin, 2: control, 4: file, 8: live, 16: terminal, 32: held, 64: traces), text cwd, u32 count, text… argv, u32 count, text…
 * NAME=value`, then for a terminal `u32 cols, u32 rows`
 */
export function encodeSpawn({
  argv,
  cwd,
  env,
  stdin,
  control,
  live,
  held,
  traces,
  pty,
}: SpawnMessage): Uint8Array {
  const more = (control ? 2 : 0) | (live ? 8 : 0) | (pty ? 16 : 0) | (held ? 32 : 0) | (traces ? 64 : 0);
  const flags = STDIN_FLAGS[stdin] | more;
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const fields = new FieldWriter(2048).u8(flags).path(cwd).texts(argv).texts(variables);
  return pty ? fields.u32(pty.cols).u32(pty.rows).bytes : fields.bytes;
}

/** `u32 cols, u32 rows` */
export function encodeTerminalSize({ cols, rows }: TerminalSize): Uint8Array {
  return new FieldWriter(8).u32(cols).u32(rows).bytes;
}

/** The program's ends of its pipes, as descriptors of the agent's; -1 for none. `file`: what becomes descriptor 4. */
export interface PreparedMessage {
  stdin: number;
  stdout: number;
  stderr: number;
  control: number;
  file: number;
  /** The sandbox's user namespace. */
  users: number;
}

/** `i32` each, in the order above. @throws {Error} */
export function decodePrepared(payload: Uint8Array): PreparedMessage {
  const fields = new FieldReader(payload);
  const [stdin, stdout, stderr, control] = [fields.i32(), fields.i32(), fields.i32(), fields.i32()];
  const [file, users] = [fields.i32(), fields.i32()];
  fields.end();
  return { stdin, stdout, stderr, control, file, users };
}

/** What programs are shown of their limits. */
export interface ShownLimits {
  /** How many of the CPUs that the agent may use are the programs', and the place of the first, over the end as well. */
  cpus: number;
  firstCpu: number;
  /** Texts of /proc/meminfo, /proc/stat and /proc/cpuinfo, for an agent that has files there. */
  files: readonly [meminfo: string, stat: string, cpuinfo: string];
}

/** `u32 cpus, u32 firstCpu, u32 count, text… files` */
export function encodeShownLimits({ cpus, firstCpu, files }: ShownLimits): Uint8Array {
  return new FieldWriter(4096).u32(cpus).u32(firstCpu).texts(files).bytes;
}

/** The place of a reason is its number: `not_found` is a program's, `missing` and the rest are files'. */
export const FAILURES = [
  'not_found',
  'refused',
  'missing',
  'exists',
  'other_type',
  'full',
  'denied',
  'skipped',
  'changed',
] as const;

export interface FailedMessage {
  reason: (typeof FAILURES)[number];
  message: string;
}

/** `u8 reason, text message`, which may name a path. @throws {Error} */
export function decodeFailed(payload: Uint8Array): FailedMessage {
  const fields = new FieldReader(payload);
  const reason = FAILURES[fields.u8()] ?? 'refused';
  const message = fields.path();
  fields.end();
  return { reason, message };
}

export interface ExitMessage {
  /** Null when a signal ended it. */
  code: number | null;
  signal: number | null;
}

/** `i32 code (-1: none), i32 signal (0: none)` @throws {Error} */
export function decodeExit(payload: Uint8Array): ExitMessage {
  const fields = new FieldReader(payload);
  const [code, signal] = [fields.i32(), fields.i32()];
  fields.end();
  return { code: code < 0 ? null : code, signal: signal || null };
}

/** Paths are absolute and inside /workspace; the agent checks symbolic links on the way. */
export type FileRequest =
  /** `size`: of all that follows; room for it is made sure of first. */
  | { op: 'write'; path: string; append: boolean; size: number }
  /** `length` null: to the end, refused if that is more than `most`. */
  | { op: 'read'; path: string; offset: number; length: number | null; most: number }
  | { op: 'makeDirectory'; path: string; recursive: boolean }
  | { op: 'copy' | 'move'; from: string; to: string; overwrite: boolean }
  | { op: 'remove'; path: string; recursive: boolean; expects: Expectation }
  | { op: 'list'; path: string; recursive: boolean; includeHidden: boolean; maxDepth: number }
  | { op: 'clear' }
  /** Of a link itself, which is not followed. */
  | { op: 'stat'; path: string }
  /** A stream, of a file or directory: answered by `streamOpened` with {@link OpenedFile}; then sends what `range` names. */
  | { op: 'openRead'; path: string }
  /**
   * A stream: answered by `streamOpened` once its bytes may come, and when they have ended by `streamEnd` with {@link WrittenFile}.
   * `size`: what will come, or 0 when that is not known. `mode` null: as the file's that is there.
   */
  | {
      op: 'openWrite';
      path: string;
      append: boolean;
      size: number;
      mode: number | null;
      expects: Expectation;
    }
  /** On the channel of an `openRead`, whenever all of the last one has come. */
  | { op: 'range'; offset: number; length: number }
  /** `whole`: programs will run, which may change anything, and in `most` bytes all is kept; otherwise what changes comes over this stream. */
  | { op: 'begin'; whole: boolean; most: number }
  /** What changed since then stays; or everything is put back to what it was. */
  | { op: 'commit' | 'rollBack' }
  /** A link of the service's, outside of /workspace, which points to `target` from then on; its directory is made. */
  | { op: 'link'; path: string; target: string };

/** The first byte of a file request, and of the reply to it. */
export const FILE_OPS = {
  write: 1,
  read: 2,
  makeDirectory: 3,
  copy: 4,
  move: 5,
  remove: 6,
  list: 7,
  clear: 8,
  stat: 9,
  openRead: 10,
  openWrite: 11,
  range: 12,
  begin: 13,
  commit: 14,
  rollBack: 15,
  link: 16,
} as const satisfies Record<FileRequest['op'], number>;

const TO_ITS_END = 2n ** 64n - 1n;
const AS_IT_IS = 2 ** 32 - 1;

/** What must have a path's name; null: whatever is there. A version is as {@link OpenedFile} has it. */
export type Expectation = 'nothing' | 'something' | { readonly versions: readonly string[] } | null;

/** Most versions of one, as the agent has room for (expectation.h). */
export const MAX_VERSIONS = 16;
const VERSION = /^([0-9a-f]{1,16})-([0-9a-f]{1,16})$/;

/** `u8 kind, u8 count`, and of each version `u64 inode, u64 changedAt`. What can be none is left out. */
function putExpectation(fields: FieldWriter, expects: Expectation): FieldWriter {
  if (expects === null) return fields.u8(0).u8(0);
  if (typeof expects === 'string') return fields.u8(expects === 'nothing' ? 1 : 2).u8(0);
  const versions = expects.versions.flatMap(version => {
    const [, inode, changedAt] = VERSION.exec(version) ?? [];
    return inode && changedAt ? [[BigInt(`0x${inode}`), BigInt(`0x${changedAt}`)] as const] : [];
  });
  fields.u8(3).u8(versions.length);
  for (const [inode, changedAt] of versions) fields.u64(inode).u64(changedAt);
  return fields;
}

/** `u8 op`, then the request's fields in the order above: paths as texts (path-bytes.ts), flags as u8, `maxDepth` and `mode` as u32, other numbers as u64. */
export function encodeFileRequest(request: FileRequest): Uint8Array {
  const fields = new FieldWriter().u8(FILE_OPS[request.op]);
  switch (request.op) {
    case 'write':
      return fields.path(request.path).u8(Number(request.append)).u64(request.size).bytes;
    case 'read':
      return fields
        .path(request.path)
        .u64(request.offset)
        .u64(request.length ?? TO_ITS_END)
        .u64(request.most).bytes;
    case 'makeDirectory':
      return fields.path(request.path).u8(Number(request.recursive)).bytes;
    case 'remove':
      return putExpectation(fields.path(request.path).u8(Number(request.recursive)), request.expects).bytes;
    case 'copy':
    case 'move':
      return fields.path(request.from).path(request.to).u8(Number(request.overwrite)).bytes;
    case 'list':
      return fields
        .path(request.path)
        .u8(Number(request.recursive))
        .u8(Number(request.includeHidden))
        .u32(request.maxDepth).bytes;
    case 'clear':
      return fields.bytes;
    case 'stat':
    case 'openRead':
      return fields.path(request.path).bytes;
    case 'openWrite':
      return putExpectation(
        fields
          .path(request.path)
          .u8(Number(request.append))
          .u64(request.size)
          .u32(request.mode ?? AS_IT_IS),
        request.expects,
      ).bytes;
    case 'range':
      return fields.u64(request.offset).u64(request.length).bytes;
    case 'begin':
      return fields.u8(Number(request.whole)).u64(request.most).bytes;
    case 'commit':
    case 'rollBack':
      return fields.bytes;
    case 'link':
      return fields.path(request.path).path(request.target).bytes;
  }
}

export interface ListedEntry {
  /** From the root. */
  path: string;
  type: 'file' | 'directory' | 'symlink' | 'other';
  size: number;
  /** Milliseconds since 1970. */
  modifiedAt: number;
}

export interface FileDetails extends Omit<ListedEntry, 'path'> {
  /** The twelve bits of chmod(2). */
  mode: number;
  /** Where a link points, as it is written there; empty for what is none. */
  target: string;
}

type StreamOp = 'openRead' | 'openWrite' | 'range';
type TransactionOp = 'begin' | 'commit' | 'rollBack';

export type FileReply =
  /** `u8 op, u64 value`: the file's size for a read, bytes for a copy and a move, 1 for a directory that was made; else 0. */
  | { op: Exclude<FileRequest['op'], 'list' | 'stat' | StreamOp | TransactionOp>; value: number }
  /** `u8 op, u8 type, u32 mode, u64 size, i64 modifiedAt, text target` */
  | ({ op: 'stat' } & FileDetails)
  /** `u8 op, u8 more`: true as a sign of life, since a large tree takes its time. */
  | { op: TransactionOp; more: boolean }
  /** `u8 op, u8 more`, then for each entry `u8 type, u64 size, i64 modifiedAt, text path`. `more` is true on all but the last. */
  | { op: 'list'; more: boolean; entries: ListedEntry[] };

/** The place of a type is its number. */
const ENTRY_TYPES = ['file', 'directory', 'symlink', 'other'] as const;

/** @throws {Error} it is no answer to such a request */
export function decodeFileReply(payload: Uint8Array, op: FileReply['op']): FileReply {
  const fields = new FieldReader(payload);
  if (fields.u8() !== FILE_OPS[op]) throw new Error('an answer to another question');
  if (op === 'stat') {
    const type = ENTRY_TYPES[fields.u8()] ?? 'other';
    const details = { type, mode: fields.u32(), size: fields.u64(), modifiedAt: fields.i64() };
    const target = fields.path();
    fields.end();
    return { op, ...details, target };
  }
  if (op === 'begin' || op === 'commit' || op === 'rollBack') {
    const more = fields.u8() === 1;
    fields.end();
    return { op, more };
  }
  if (op !== 'list') {
    const value = fields.u64();
    fields.end();
    return { op, value };
  }
  const more = fields.u8() === 1;
  const entries: ListedEntry[] = [];
  while (fields.left > 0) {
    const type = ENTRY_TYPES[fields.u8()] ?? 'other';
    entries.push({ type, size: fields.u64(), modifiedAt: fields.i64(), path: fields.path() });
  }
  return { op, more, entries };
}

/** A file or directory that has been opened. */
export interface OpenedFile extends Omit<FileDetails, 'target'> {
  /** Another one whenever the file has changed. */
  version: string;
}

/** `u8 type, u32 mode, u64 size, i64 modifiedAt, u64 inode, u64 changedAt` @throws {Error} */
export function decodeOpened(payload: Uint8Array): OpenedFile {
  const fields = new FieldReader(payload);
  const opened = openedIn(fields);
  fields.end();
  return opened;
}

/** `made`: nothing of its name was there. */
export interface WrittenFile extends OpenedFile {
  made: boolean;
}

/** `u8 made`, then as {@link decodeOpened} @throws {Error} */
export function decodeWritten(payload: Uint8Array): WrittenFile {
  const fields = new FieldReader(payload);
  const made = fields.u8() === 1;
  const written = { made, ...openedIn(fields) };
  fields.end();
  return written;
}

function openedIn(fields: FieldReader): OpenedFile {
  const type = ENTRY_TYPES[fields.u8()] ?? 'other';
  const [mode, size, modifiedAt] = [fields.u32(), fields.u64(), fields.i64()];
  return { type, mode, size, modifiedAt, version: `${fields.hex()}-${fields.hex()}` };
}
