/**
 * The language between the service and the agent inside a sandbox, over one byte stream in each direction.
 *
 * A frame is `u32 length, u8 kind, u32 channel, payload`, little endian; `length` counts kind, channel and payload.
 * Either end treats a frame over {@link MAX_FRAME_BYTES}, an unknown kind or a malformed payload as the end of the
 * sandbox. A channel is a number the service picks: one per process and one per file operation; numbers are never
 * used twice. Payloads are JSON (UTF-8) where a type is named below and raw bytes where not.
 *
 * What comes from the agent is hostile input all the same: the program beside it may have got the better of it.
 */

/** Of this language; an agent that names another in {@link ReadyMessage} is given up. */
export const PROTOCOL_VERSION = 1;

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
  /** {@link SignalMessage} */
  signal: 5,
  /** {@link KillMessage} */
  kill: 6,
  /** u32: output and control the service has consumed, frames' cost included; the agent may send as much more. */
  credit: 7,
  /** Empty: make a named pipe for the next cell; answered by `inputOpened`, unless the program has ended. */
  openInput: 8,
  /** Empty, on channel 0: the service is still there; see `--silence` of the agent. */
  alive: 9,
  /** {@link SpawnMessage}: makes the pipes of a program that is started elsewhere; answered by `prepared` or `failed`. */
  prepare: 10,
  /** {@link AdoptMessage}: it was, or is to be started after all; answered as a spawn is. */
  adopt: 11,
  /** {@link FileRequest}: answered by `fileDone` or `failed`; a write is followed by `fileData` frames. */
  file: 16,
  /** Bytes of a write; an empty frame ends it. */
  fileData: 17,
} as const;

/** Kinds the agent sends. */
export const FromAgent = {
  /** {@link ReadyMessage}, once, first, on channel 0. */
  ready: 64,
  /** Empty. */
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
  /** UTF-8 path of the named pipe; empty where none could be made. */
  inputOpened: 72,
  /** u32, on channel 0: 1 once a disk that programs can write is full, 0 when it is no more; before what it explains. */
  disk: 73,
  /** {@link PreparedMessage} */
  prepared: 74,
  /** Empty, on channel 0: what follows is the agent's end, for want of memory. */
  outOfMemory: 75,
  /** {@link FileReply}; a read's bytes come before it as `fileData`. */
  fileDone: 80,
  /** Bytes of a read. */
  fileData: 81,
} as const;

export interface SpawnMessage {
  argv: string[];
  cwd: string;
  env: Record<string, string>;
  stdin: 'none' | 'pipe';
  control: boolean;
}

/** The program's ends of its pipes, as descriptors of the agent's; `stdin` is -1 for none, as is `control`. */
export interface PreparedMessage {
  stdin: number;
  stdout: number;
  stderr: number;
  control: number;
  /** The sandbox's user namespace. */
  users: number;
}

export interface AdoptMessage {
  /** Now a child of the agent's, as the agent numbers it; null when it could not be started elsewhere. */
  pid: number | null;
}

export interface SignalMessage {
  /** Number of the signal on this architecture. */
  signal: number;
}

export interface KillMessage {
  keepRoot: boolean;
}

export interface ReadyMessage {
  version: number;
}

export interface FailedMessage {
  reason: 'not_found' | 'refused';
  message: string;
}

export interface ExitMessage {
  code: number | null;
  signal: number | null;
}

/** Paths are absolute and inside /workspace; the agent checks symbolic links on the way. */
export type FileRequest =
  | { op: 'write'; path: string; append: boolean }
  /** `length` null: to the end, refused if that is more than `most`. */
  | { op: 'read'; path: string; offset: number; length: number | null; most: number }
  | { op: 'makeDirectory'; path: string; recursive: boolean }
  | { op: 'copy' | 'move'; from: string; to: string; overwrite: boolean }
  | { op: 'remove'; path: string; recursive: boolean }
  | { op: 'list'; path: string; recursive: boolean; includeHidden: boolean; maxDepth: number }
  | { op: 'clear' };

export type FileReply =
  | { op: 'write' | 'remove' | 'clear' }
  | { op: 'read'; size: number }
  | { op: 'makeDirectory'; created: boolean }
  | { op: 'copy' | 'move'; bytes: number }
  /** A long listing comes as several replies; `more` is true on all but the last. */
  | {
      op: 'list';
      entries: [name: string, path: string, type: string, size: number, modifiedAt: number][];
      more: boolean;
    };
