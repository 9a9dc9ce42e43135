import type { Socket } from 'node:net';
import type { BatchResult, CommandBatch } from '../commands/batch.ts';
import type { CommandResult } from '../commands/command-result.ts';
import type { CommandRequest } from '../commands/index.ts';
import type { PortRequest } from '../network/egress/port-frames.ts';
import type { RuntimeState } from '../runtimes/runtime.ts';
import type { Expectation, OpenFile, SandboxUsage, TerminalSize, WriteOptions } from '../sandbox.ts';
import type { ExecutionEvent } from '../schemas/events.ts';
import type { ExecuteRequest, ExecuteResponse, StatusResponse } from '../schemas/execution.ts';
import type { Feature } from '../schemas/features.ts';
import type { FileEvent } from '../schemas/file-events.ts';
import type { LanguageInfo } from '../schemas/language.ts';
import type { NetworkRules } from '../schemas/network.ts';
import type { ExposedPort, ListeningPort, PortEvent } from '../schemas/ports.ts';
import type { RunningProcess } from '../schemas/running-process.ts';
import type { SessionConfig, SessionInfo, SessionList } from '../schemas/session.ts';
import type { StatusEvent } from '../schemas/status-events.ts';
import type { Call } from './call.ts';
import type { Coding } from './transfers/codings.ts';

/**
 * The service layer as both front doors see it. Doors translate, this decides: who may, what fits, in which order,
 * for how long. Arguments have the shape of their schema already (the doors validate); everything else is checked
 * here. Every method is asynchronous, because the session may live on another machine; all may reject with ServiceError,
 * and an `owner` that does not match is answered as if nothing were there.
 */
export interface Service {
  readonly executions: Executions;
  readonly sessions: Sessions;
  readonly processes: Processes;
  readonly transfers: Transfers;
  readonly entries: Entries;
  readonly status: Status;
  readonly watches: Watches;
  readonly ports: Ports;
  readonly debugging: Debugging;
  /** Resolves when each runtime has been tried once; before that one may be listed as unavailable that will be there. */
  started(): Promise<void>;
  languages(): Promise<LanguageInfo[]>;
  /** By name or alias. @throws {ServiceError} NOT_FOUND */
  language(name: string): Promise<LanguageInfo>;
  capabilities(): Promise<Capabilities>;
  health(): Promise<Health>;
  /** Takes nothing new (SHUTTING_DOWN) and resolves when what was taken before has ended. */
  drain(): Promise<void>;
  /** Stops taking work, ends what runs and resolves when nothing of it remains. */
  close(): Promise<void>;
}

export interface StartOptions {
  /** Standard input may come from `process.input`. */
  readonly interactive?: boolean;
  /** Somebody may follow its output while it runs, as by default. */
  readonly live?: boolean;
  /** Whoever starts it waits for its end and learns its id no sooner: what ends soon is kept once, and not when it begins too. */
  readonly awaited?: boolean;
  /** What a door has to know of it later, also after a restart: a short text, kept with the result. */
  readonly note?: string;
}

/** A one-shot as its door left it. */
export interface Recalled {
  readonly status: StatusResponse;
  /** Null for one that was started without. */
  readonly note: string | null;
}

export interface Executions {
  /** Takes a one-shot; it is on disk as `pending` when this resolves, but for one that is `awaited`. `call.signal` does not reach the run. */
  start(request: ExecuteRequest, call: Call, options?: StartOptions): Promise<ExecuteResponse>;
  status(id: string, call: Call): Promise<StatusResponse>;
  /** Its state, with the note that it was started with. */
  recall(id: string, call: Call): Promise<Recalled>;
  /** Resolves when it has ended and that is on disk. `call.signal` ends the waiting, not the run. */
  wait(id: string, call: Call): Promise<StatusResponse>;
  /** Ends it if it runs; resolves with its final state. */
  cancel(id: string, call: Call): Promise<StatusResponse>;
  /** What happened after `afterSeq` (0: all), then live, up to `execution.completed`. */
  events(id: string, call: Call, afterSeq: number): Promise<EventStream>;
}

export interface Sessions {
  create(config: SessionConfig, call: Call, options?: CreateOptions): Promise<SessionInfo>;
  get(id: string, call: Call): Promise<SessionInfo>;
  /** In the order they were made, as many as a page has room for. @throws {ServiceError} VALIDATION_ERROR */
  list(options: ListOptions, call: Call): Promise<SessionList>;
  keepAlive(id: string, call: Call): Promise<SessionInfo>;
  /** What it uses now, of what it may. */
  usage(id: string, call: Call): Promise<SessionUsage>;
  /** Gives it other network rules. @throws {ServiceError} NOT_SUPPORTED, CONFLICT, and they are what they were */
  update(id: string, change: SessionChange, call: Call): Promise<SessionInfo>;
  /** Moves the end of its lifetime, which `config.maxLifetimeMinutes` then says. @throws {ServiceError} VALIDATION_ERROR */
  setEnd(id: string, end: SessionEnd, call: Call): Promise<SessionInfo>;
  close(id: string, call: Call): Promise<{ sessionId: string; closed: boolean }>;
  /**
   * Runs one command when those before it in `call.lane` have ended; its place is taken before this returns. A command
   * in the background waits for nothing. `call.signal` cancels it (CANCELLED).
   */
  execute(id: string, command: CommandRequest, call: Call, options?: ExecuteOptions): Promise<ExecuteReply>;
  /**
   * Runs several commands when those before them in `call.lane` have ended; their place is taken before this returns.
   * `call.signal` cancels them (CANCELLED).
   * @throws {ServiceError} before any of them runs: VALIDATION_ERROR and the like, naming the field as `commands[3].path`
   */
  runCommands(
    where: BatchPlace,
    batch: CommandBatch,
    call: Call,
    options?: ExecuteOptions,
  ): Promise<BatchReply>;
  /** Ends a command if it runs, the newest of that id; resolves with its final state. @throws {ServiceError} NOT_FOUND */
  cancel(id: string, commandId: string, call: Call): Promise<StatusResponse>;
  /**
   * Ends the interpreters of a context, and forgets it: the next cell that names it is the first of another. Cells that wait for it are
   * refused with CONFLICT.
   */
  closeContext(id: string, context: string, call: Call): Promise<void>;
  /** What happened after `afterSeq` (null: from now on), then live, until the session is closed. */
  events(id: string, call: Call, afterSeq: number | null): Promise<EventStream>;
  /**
   * The same of one command whose events are `apart`, until it has ended; null once it has.
   * @throws {ServiceError} NOT_FOUND
   */
  commandEvents(
    id: string,
    executionId: string,
    call: Call,
    afterSeq: number | null,
  ): Promise<EventStream | null>;
}

export interface CreateOptions {
  /** Its files are seen at USER_HOME too, where its programs start; they may start in any directory. */
  readonly home?: boolean;
  /** Called once when nothing of it remains. */
  readonly onEnded?: () => void;
}

/** What a session uses. Null where that can't be known. */
export interface SessionUsage extends SandboxUsage {
  readonly memoryLimitBytes: number;
  /** Most that its files may take. */
  readonly diskBytes: number;
  readonly cpus: number;
}

/** When a session's lifetime ends. */
export interface SessionEnd {
  /** Milliseconds from now. */
  readonly afterMs: number;
  /** One that is later stays. */
  readonly onlyLater?: boolean;
}

export interface SessionChange {
  readonly network: NetworkRules;
}

export interface ListOptions {
  /** Most sessions on a page. */
  readonly limit?: number | undefined;
  /** `nextCursor` of the page before. */
  readonly cursor?: string | undefined;
}

/** Where a batch runs: in a session, or in one of a language that is opened and closed for it. */
export type BatchPlace = { readonly sessionId: string } | { readonly language: string };

export interface ExecuteOptions {
  /** Emit events. */
  readonly stream?: boolean;
  /** The answer is for who takes a LongText (src/schemas/long-text.ts) for a string. */
  readonly longTexts?: boolean;
  /** Standard input stays open for `process.input`: `stream: true` on a live socket. In the background only of what is `apart`. */
  readonly interactive?: boolean;
  /** Emit events, to its own readers (`commandEvents`), which hold up no other command. */
  readonly apart?: boolean;
  /** Wall time of its program, milliseconds, of a background command that has no `timeout`. */
  readonly wallMs?: number | undefined;
  /** Of a cell. */
  readonly cell?: CellSurroundings;
  /** Called once its program runs. */
  readonly onStarted?: (program: RunningProgram) => void;
  /** Called once when the command's turn has come and it has begun, before anything of it is told. */
  readonly onTaken?: (command: TakenCommand) => void;
  /** Awaited when the command's turn has come, before it begins: a door makes room for its answer and follows its session's events. */
  readonly beforeStart?: (sessionId: string) => Promise<void>;
}

/** What a cell finds around it. */
export interface CellSurroundings {
  /** Where its interpreter starts, if it does: absolute; in a session with a home anywhere. By default where programs of the session do. */
  readonly directory?: string;
  /** Variables while it runs, beside the session's. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Results have tables and charts as data too. */
  readonly structured?: boolean;
}

/** Names of a command that has begun. */
export interface TakenCommand {
  readonly executionId: string;
  readonly commandId: string;
}

export interface ExecuteReply {
  readonly result: CommandResult;
  /** `seq` of the command's `execution.completed`; null when it emitted nothing. */
  readonly completedSeq: number | null;
}

export interface BatchReply {
  readonly result: BatchResult;
  /** `seq` of the batch's own `execution.completed`; null when it emitted nothing. */
  readonly completedSeq: number | null;
}

/**
 * Events in order. Live readers are the back-pressure: a program that runs ahead of the slowest by 256 KiB waits.
 * Leaving the loop (or aborting `call.signal`) lets it go on.
 */
export interface EventStream extends AsyncIterable<ExecutionEvent> {
  /** The first number that could still be given, when some after `afterSeq` are no longer kept; else null. */
  readonly firstAvailable: number | null;
  /** The last number given out so far. */
  readonly lastSeq: number;
}

/** Which running program `process.input` and `process.signal` mean. Without `commandId`: the only one, or the last started. */
export interface ProcessTarget {
  readonly sessionId?: string;
  readonly executionId?: string;
  readonly commandId?: string;
}

/** A program of a session that runs. */
export interface RunningProgram extends RunningProcess {
  /** Where it started; null for a cell's interpreter. */
  readonly cwd: string | null;
  /** What its command adds to the session's environment. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Processes {
  /** What the commands of a session run, in the order they began. */
  list(sessionId: string, call: Call): Promise<RunningProgram[]>;
  /** Ends what a terminal's program reads by typing what ends a file there, where it is one. */
  input(target: ProcessTarget, data: Uint8Array, eof: boolean, call: Call): Promise<void>;
  /** Sets the size of a program's terminal. @throws {ServiceError} CONFLICT where it has none */
  resize(target: ProcessTarget, size: TerminalSize, call: Call): Promise<void>;
  /** `signal` is a name such as SIGINT. */
  signal(target: ProcessTarget, signal: string, call: Call): Promise<void>;
}

/** What a client wants to be told of. */
export interface StatusWish {
  /** Names of events, `session.*` and the like, or `*`. */
  readonly subscribe: readonly string[];
  /** Of sessions and runs only those of this one. */
  readonly sessionId?: string | undefined;
}

/** An event, and the id to go on after; null for one that has none. */
export interface StatusMessage {
  readonly id: string | null;
  readonly event: StatusEvent;
}

/** What happens to sessions, runs and runtimes, without what programs print. */
export interface Status {
  /**
   * From now on, or from behind an id on, until `call.signal` aborts. Holds nobody up: a slow reader loses the oldest events, and is told.
   * @throws {ServiceError} VALIDATION_ERROR, SESSION_NOT_FOUND, QUEUE_FULL
   */
  follow(wish: StatusWish, call: Call, after?: string): Promise<AsyncIterable<StatusMessage>>;
}

export interface WatchWish {
  readonly sessionId: string;
  /** A directory or file, /workspace by default. */
  readonly path?: string | undefined;
  /** Also what lies below; not by default. */
  readonly recursive?: boolean | undefined;
}

export interface OpenedWatch {
  readonly watchId: string;
  /** Nothing is told before. */
  start(): void;
}

/** What becomes of sessions' files. */
export interface Watches {
  /**
   * Tells `onEvent`, whose promise is awaited, and who follows the status, until it is closed, `until` aborts or the session ends. What
   * happens while nobody takes it is told as an overflow, where it is too much. `call.signal` ends the opening alone.
   * @throws {ServiceError} SESSION_NOT_FOUND; CONFLICT for one too many; COMMAND_FAILED where it can't be watched
   */
  open(
    wish: WatchWish,
    call: Call,
    onEvent?: (event: FileEvent) => void | Promise<void>,
    until?: AbortSignal,
  ): Promise<OpenedWatch>;
  /** Nothing is told after this resolves. @throws {ServiceError} NOT_FOUND */
  close(watchId: string, call: Call): Promise<void>;
}

export interface DebugWish {
  readonly sessionId: string;
  /** The session's by default. */
  readonly language?: string | undefined;
  /** Whose cells are to be debugged, rather than a program. */
  readonly context?: string | undefined;
}

export interface StartedDebugger {
  /** Shown once, within LIMITS.debugTicketSeconds, it joins the adapter. */
  readonly debugId: string;
  readonly adapter: { readonly name: string; readonly version: string };
  readonly language: string;
}

/** How a debugger's connection ended. */
export interface DebugEnd {
  readonly how: 'disconnected' | 'session_ended' | 'adapter_died';
  /** A sentence; of an adapter that died its last words. */
  readonly words: string;
}

/** Takes a message of the Debug Adapter Protocol as JSON. Its promise is awaited. */
export type TellDebugger = (text: string) => void | Promise<void>;

/** The one connection of a debugger. Who joined it closes it. */
export interface DebugConnection {
  /** Tells what the adapter says until one side has ended it; to be called once. */
  carry(tell: TellDebugger): Promise<DebugEnd>;
  /** Resolves when there is room for more. Messages arrive in the order of the calls. @throws {ServiceError} VALIDATION_ERROR for what is none */
  send(text: string): Promise<void>;
  /** Ends the adapter and its program. Idempotent. */
  close(): void;
}

/** Debuggers of programs, each an adapter that runs in its session's sandbox. */
export interface Debugging {
  /**
   * Starts an adapter, which waits for its connection.
   * @throws {ServiceError} SESSION_NOT_FOUND; RUNTIME_UNAVAILABLE with the cure; CONFLICT for one too many
   */
  start(wish: DebugWish, call: Call): Promise<StartedDebugger>;
  /** A call without an owner may join too: it has shown the ticket. @throws {ServiceError} NOT_FOUND */
  join(debugId: string, call: Call): Promise<DebugConnection>;
}

/** How long a port is exposed, and for whom. */
export interface PortWish {
  readonly sessionId: string;
  readonly port: number;
  /** By default as long as its session. */
  readonly ttlSeconds?: number | undefined;
  /** Whoever knows its name may ask. Not by default. */
  readonly public?: boolean | undefined;
}

/** For whom all ports of a session are exposed. */
export interface AllPortsWish {
  readonly sessionId: string;
  /** Whoever knows the session's id may ask. */
  readonly public: boolean;
  /** Whoever has it may ask. */
  readonly token: string;
}

/** What a name leads to. */
export interface PortLead {
  readonly port: number;
  readonly isPublic: boolean;
  readonly token: string;
  /** Of its session. */
  readonly owner: string | null;
  /**
   * Sends a request, whose body and answer go on the connection as frames (src/network/egress/port-frames.ts).
   * @throws {ServiceError} QUEUE_FULL, NOT_FOUND, RUNTIME_UNAVAILABLE, SESSION_CLOSED
   */
  request(request: PortRequest): Promise<Socket>;
}

/** Who is told what begins and ends to listen, once however often it asks. */
export interface PortFollower {
  tell(event: PortEvent): void;
  readonly until: AbortSignal;
}

/** Ports that programs of sessions listen on. */
export interface Ports {
  /** Gives a port a name, which it keeps until it is exposed no more. @throws {ServiceError} CONFLICT */
  expose(wish: PortWish, call: Call, follower?: PortFollower): Promise<ExposedPort>;
  /**
   * Has all ports of a session reached by its id as well, as `PORT-ID` below the domain that it resolves to, as long as the session lives.
   * @throws {ServiceError} NOT_SUPPORTED
   */
  exposeAll(wish: AllPortsWish, call: Call): Promise<{ domain: string }>;
  /** @throws {ServiceError} NOT_FOUND where it is not exposed */
  unexpose(sessionId: string, port: number, call: Call): Promise<void>;
  /** What listens now. What changes from the first asking on is told to its followers, and to who follows the status. */
  list(sessionId: string, call: Call, follower?: PortFollower): Promise<ListeningPort[]>;
  /** Where the first label of a name leads; `gone` where its session has ended. */
  find(label: string): PortLead | 'unknown' | 'gone';
}

/** Files of sessions as streams of any size, beside their commands. Paths are as in commands; of a session with a home as in {@link Entries}. */
export interface Transfers {
  /** Opens a file or a directory; who opened it closes it. */
  download(id: string, path: string, call: Call): Promise<Download>;
  /** Opens a large file that a one-shot has left, by its number; who opened it closes it. @throws {ServiceError} NOT_FOUND */
  outputFile(executionId: string, number: number, call: Call): Promise<Download>;
  /** Begins new content for a file; who began it finishes or aborts it. */
  upload(id: string, path: string, options: UploadOptions, call: Call): Promise<Upload>;
  /** Goes on with one that was cut; who does finishes or aborts it. @throws {ServiceError} NOT_FOUND */
  resume(id: string, which: Which, call: Call): Promise<Upload>;
  /** How far the newest cut upload to a path has come; null for none. */
  progress(id: string, path: string, call: Call): Promise<Progress | null>;
  remove(id: string, path: string, options: RemoveOptions, call: Call): Promise<void>;
  /** A directory with all below it as a tar archive, /workspace itself too; who asked for it closes it. */
  pack(id: string, path: string, call: Call): Promise<Packed>;
  /** Puts what an archive has into a directory, which is made where it is not there; who began it finishes or aborts it. */
  unpack(id: string, path: string, options: { coded?: CodedBy }, call: Call): Promise<Unpacking>;
}

/** What a path names, as programs of its sandbox see it. */
export interface Entry {
  /** Absolute. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  /** The twelve bits of chmod(2). */
  readonly mode: number;
  /** Nanoseconds since 1970. */
  readonly modifiedAt: bigint;
  /** Where a link leads; null for what is none. */
  readonly target: string | null;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Files of a session with a home, wherever they lie: whatever a program of it may do with them. Paths are absolute, or relative to the
 * home. A refusal has in `reason` what kind it is: `missing`, `exists`, `other_type`, `full`, `denied` or `refused`.
 */
export interface Entries {
  /** A link that the path names itself is not followed. */
  describe(id: string, path: string, call: Call): Promise<Entry>;
  /** What is in a directory, so many levels of it, each in the order of names. */
  list(id: string, path: string, depth: number, call: Call): Promise<Entry[]>;
  /** With the directories above. @throws {ServiceError} `exists` */
  makeDirectory(id: string, path: string, call: Call): Promise<void>;
  /** In the place of what is there. */
  move(id: string, from: string, to: string, call: Call): Promise<void>;
  /** With all below; does nothing where nothing is. */
  remove(id: string, path: string, call: Call): Promise<void>;
  /** Gives a file this metadata and no other. */
  setMetadata(
    id: string,
    path: string,
    metadata: Readonly<Record<string, string>>,
    call: Call,
  ): Promise<void>;
}

/** An upload that goes on: by its number, with what it began with, or the newest to that path. */
export type Which =
  | { readonly transfer: number; readonly path: string; readonly options: UploadOptions }
  | { readonly path: string };

export interface Progress {
  readonly received: number;
  readonly size: number | null;
}

export interface Download {
  /** Its number. */
  readonly transfer: number;
  /** Absolute, inside the sandbox. */
  readonly path: string;
  readonly status: OpenFile;
  /** Whether what is read next may be compressed on its way: that is work of the service's, of which there is not much at once. */
  mayEncode(): boolean;
  /** See FileSource: a piece is the reader's until the next is pulled. Throws {ServiceError}. */
  read(offset: number, length: number, how?: ReadHow): AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): void;
}

export interface ReadHow {
  readonly coding?: Coding | null;
  /** Sees every piece before it is compressed. */
  readonly tap?: (piece: Uint8Array) => void;
}

export interface RemoveOptions {
  /** A directory too, with all that is in it. */
  readonly recursive: boolean;
  readonly expects?: Expectation;
}

export interface UploadOptions extends WriteOptions {
  /** Its digest will be wanted. */
  readonly hashed?: boolean;
  /** What its digest must be, if it is hashed. */
  readonly sha256?: Buffer;
  /** Stays for ten minutes when it is cut. */
  readonly resumable?: boolean;
  readonly coded?: CodedBy;
}

/** How what comes is coded; `field` is where the client said so. */
export interface CodedBy {
  readonly coding: Coding;
  readonly field: string;
}

export interface Packed {
  /** Absolute. */
  readonly path: string;
  /** Once. @throws {ServiceError} */
  pieces(): AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): void;
}

/** An archive on its way in. What has come of it stays, however it ends. */
export interface Unpacking {
  /** The directory was not there. */
  readonly made: boolean;
  /** @throws {ServiceError} what the archive has can't be put there; it is to be aborted then */
  write(data: Uint8Array): Promise<void>;
  /** @throws {ServiceError} it is not whole */
  finish(): Promise<void>;
  abort(): void;
}

/** Whoever resumes an upload takes it from its connection of before. */
export interface Upload {
  /** Its number. */
  readonly transfer: number;
  readonly path: string;
  /** Bytes of the file; null where that was not said. */
  readonly size: number | null;
  /** Bytes that have come, as they came. */
  readonly received: number;
  /** Resolves when all bytes of the file that were announced have come. */
  readonly whole: Promise<void>;
  /** Resolves when the bytes are used no more. @throws {ServiceError} and then it is to be aborted, and they may be used still */
  write(data: Uint8Array): Promise<void>;
  /** Puts it in its place, if the digest is this one. @throws {ServiceError} and then it is to be aborted; nothing has changed */
  finish(sha256?: Buffer | null): Promise<WrittenUpload>;
  /** Its connection was cut: it stays for ten minutes, or is aborted if it is not resumable. */
  pause(): void;
  /** Leaves everything as it was. Idempotent; nothing once it is finished. */
  abort(): void;
}

export interface WrittenUpload extends OpenFile {
  /** Nothing was there. */
  readonly made: boolean;
  /** Of the file, or of what was added to it. */
  readonly bytes: number;
  readonly sha256: Buffer | null;
}

export interface Capabilities {
  supportedLanguages: string[];
  /** Those of the service's features that work for some language, here and now. */
  supports: ReadonlySet<Feature>;
  limits: {
    /** Seconds. */
    maxTimeout: number;
    /** MB. */
    maxMemory: number;
    maxConcurrency: number;
    maxCodeLength: number;
    maxMessageBytes: number;
  };
}

export type RuntimeHealth =
  | Extract<RuntimeState, { available: true }>
  | (Omit<Extract<RuntimeState, { available: false }>, 'remedy'> & {
      /** The exact command that makes it available, where there is one. */
      readonly cure: string | null;
    });

export interface Health {
  /** `healthy`; `degraded` when a runtime is missing that was asked for or has worked; `unhealthy` when nothing can run. */
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly uptimeSeconds: number;
  /** Some runtime has not been tried yet. */
  readonly starting: boolean;
  /** It shuts down and takes nothing new. */
  readonly stopping: boolean;
  readonly runtimes: Record<string, RuntimeHealth>;
  readonly sessions: number;
  readonly running: number;
  readonly queued: number;
  /** Whether executions can be kept; a sentence when not. */
  readonly store: string | null;
}
