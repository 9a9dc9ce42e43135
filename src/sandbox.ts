/**
 * The interface of a sandbox. Every command is composed from it; forked sandboxes, bubblewrap, containers and
 * pools implement it. Interfaces only: this file runs nothing. Paths are absolute inside the sandbox.
 * Durations are milliseconds, sizes bytes.
 */

/** Where a session's files live in every sandbox. */
export const WORKSPACE = '/workspace';

/** Where sandboxes that are made with a home show WORKSPACE a second time. */
export const USER_HOME = '/home/user';

/**
 * Where programs of JavaScript find what is installed for their session. The root's `node_modules` leads there, which is at the end of
 * every way up.
 */
export const NODE_PACKAGES = '/home/sandbox/.packages/node_modules';

/**
 * Where programs of Go find what is installed for their session: its modules, and a go.mod and a go.sum that require them, to which
 * those of the root lead: they hold for every program that has none nearer to it.
 */
export const GO_PACKAGES = '/home/sandbox/.packages/go';

/** Measures from outside what processes use. */
export interface Meter {
  /** Totals so far, and the peaks of this period. Cheap enough to call every 50 ms. Never rejects. */
  measure(): Promise<Measurement>;
  /** Starts a new period for the two peaks of {@link Measurement}; resolves to the totals until now. Never rejects. */
  begin(): Promise<Measurement>;
}

/**
 * An isolated machine: processes, files and a meter of what has no meter of its own. Its creator closes it, or disposes of it.
 */
export interface Sandbox extends Meter, AsyncDisposable {
  /** A run begins that has a meter of its own: what was killed for memory before is no reason for the sandbox's end from now on. */
  beginApart(): void;
  /** `environmentId` of the contract; also names its cgroup and container. */
  readonly id: string;
  /** Variables that the sandbox needs, such as an image's PATH; programs get them unless overridden. */
  readonly environment: Readonly<Record<string, string>>;
  readonly files: Files;
  /** Interpreters can be forked into it; see {@link SpawnSpec.preforks}. */
  readonly preforks: boolean;
  /**
   * Starts a program. Resolves once it runs (its time counts from here).
   * @throws {ProgramNotFound} nothing of that name is on PATH, or it cannot be executed
   * @throws {SandboxLost} the sandbox is gone
   */
  spawn(spec: SpawnSpec): Promise<Process>;
  /** Resolves once a layer is seen at /packages. @throws {SandboxLost | Error} */
  bring(layer: LayerPlace): Promise<void>;
  /**
   * Sets the memory limit of all its processes together, at most the one it was created with. Resolves to
   * false, and keeps the old limit, when they use more already.
   */
  limitMemory(bytes: number): Promise<boolean>;
  /**
   * Changes its limits before its first use, memory and disk included. Resolves to false where that can't be
   * done; the sandbox must then be closed.
   */
  resize(limits: SandboxLimits): Promise<boolean>;
  /** What all of it uses now. Never rejects. */
  usage(): Promise<SandboxUsage>;
  /** Whether the disk of /workspace or /tmp was full at the last end of a program or cell. */
  diskFull(): boolean;
  /**
   * Resolves, never rejects, when the sandbox ends without having been closed, after its programs' events
   * have failed.
   */
  readonly lost: Promise<SandboxLost>;
  /** Kills its processes and removes the sandbox. Idempotent; resolves when nothing remains. */
  close(): Promise<void>;
}

/** A layer of packages as the service has it. */
export interface LayerPlace {
  /** Of its directory, here and at /packages. */
  readonly name: string;
  readonly directory: string;
  readonly bytes: number;
}

export interface SpawnSpec {
  /** Program and arguments, handed over byte for byte. A name without a slash is looked up on the PATH of `env`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * `none`: end of file at once. `pipe`: fed by {@link Process.write} until {@link Process.endInput}. Bytes: a regular file that holds
   * them, to be read from its beginning. `either`: a pipe, and as descriptor 4 a file that {@link Process.fillInput} fills, of which
   * the program is told which to read.
   */
  readonly stdin: 'none' | 'pipe' | 'either' | Uint8Array;
  /** Gives the program a stream socket as descriptor 3; both directions are `control` here. For kernels. */
  readonly control?: boolean;
  /**
   * Its standard streams are one terminal of this size, which controls it: what is written is typed, {@link Process.endInput} types what
   * ends a file, and all that it prints is `stdout`. Goes with `stdin: 'pipe'`.
   */
  readonly pty?: TerminalSize | undefined;
  /** Somebody reads its output while it runs: interpreters that would hold lines back show each at once. By default for kernels. */
  readonly live?: boolean;
  /** It is a debugger that may trace what it starts (ptrace(2)), as may what it starts; nothing else in a sandbox may. */
  readonly traces?: boolean | undefined;
  /**
   * The program is an interpreter that may be forked from a template, if the sandbox `preforks`. Only for a
   * sandbox's first program, while nothing untrusted runs in it.
   */
  readonly preforks?: boolean;
}

/** In characters. */
export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

/** A started program; `kill` includes its descendants. */
export interface Process {
  /** Its number, as the sandbox counts. */
  readonly pid: number;
  /**
   * Of this program and of what it has started, from its start; null where that is part of what the sandbox measures, as it is of a
   * program that nothing else runs beside.
   */
  readonly meter: Meter | null;
  /**
   * Output and control messages in order, ending with one `exit`. Output written before a `control` message
   * or the exit comes before it. Pulling is the back-pressure: while nobody pulls, at most 256 KiB are held
   * and the program blocks on its next write. May be iterated once. Throws SandboxLost if the sandbox dies
   * first.
   */
  readonly events: AsyncIterable<ProcessEvent>;
  /** Writes to standard input. Resolves when there is room for more; data for a closed pipe is dropped. */
  write(data: Uint8Array): Promise<void>;
  /** End of file on standard input, after everything written. */
  endInput(): void;
  /** Fills the file of a program that was started with `stdin: 'either'`, and ends its pipe. Resolves when all is on its way. */
  fillInput(data: Uint8Array): Promise<void>;
  /**
   * Sends bytes to descriptor 3. Resolves when there is room for more on the way to the sandbox; undefined: there is. Until then the bytes
   * stay as they are.
   */
  sendControl(data: Uint8Array): Promise<void> | undefined;
  /**
   * Creates a new standard input for a kernel's next cell: a named pipe in the sandbox, which `write` and
   * `endInput` use from then on; unread data of the last one is dropped. With `whole` it is a file that holds these bytes, or
   * where the disk has no room for them a pipe that gives them. Resolves to its path, or to /dev/null after the program's end.
   * @throws {FileRefused} the disk is full
   */
  openInput(whole?: Uint8Array): Promise<string>;
  /** Sets the size of its terminal, whose programs are told by SIGWINCH. Does nothing for a program without one. */
  resize(size: TerminalSize): void;
  /** Resolves when the sandbox takes more of what is sent to it; undefined when it does. */
  drained(): Promise<void> | undefined;
  /** Sends a signal to the program's process group. */
  signal(name: SignalName): void;
  /**
   * Kills the program, its descendants and processes orphaned since its start, including those that called
   * setsid, forked twice or are stopped. With `keepRoot` the program itself survives, as a kernel does its
   * cell. With `flush` interpreters that hold back output may write it before, for a second at most.
   */
  kill(options?: { keepRoot?: boolean; flush?: boolean }): void;
}

export type ProcessEvent =
  | { readonly type: 'output'; readonly stream: StreamName; readonly data: Uint8Array }
  | { readonly type: 'control'; readonly data: Uint8Array }
  | ProcessExit;

export interface ProcessExit {
  readonly type: 'exit';
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: SignalName | null;
}

export type StreamName = 'stdout' | 'stderr';
export type SignalName = `SIG${string}`;

/** File operations, done inside the sandbox with its own rights. Every failure is a {@link FileRefused}. */
export interface Files {
  /**
   * Has what is asked for within `ask`, which returns at once, done in that order, and nothing after the first failure: the rest is
   * {@link FileSkipped}. Of writes, only of small ones: LIMITS.chainedBytes.
   */
  inChain(ask: () => void): void;
  /**
   * Creates parent directories. `append` adds to the end, otherwise the file is replaced. Nothing looks at `data` once it resolves: the caller may
   * give its memory back (src/wire/release.ts).
   */
  write(path: string, data: Uint8Array, options?: { append?: boolean }): Promise<void>;
  /**
   * Reads a regular file, at most LIMITS.readBytes (src/schemas/limits.ts) at once; without a length a larger one is refused. `size` is
   * the whole file's. `data` is the caller's alone, who may give its memory back (src/wire/release.ts).
   */
  read(path: string, options?: ReadOptions): Promise<{ data: Uint8Array; size: number }>;
  /** `false` when the directory was there already. */
  makeDirectory(path: string, options: { recursive: boolean }): Promise<boolean>;
  /** Resolves to the bytes copied. Directories are refused. */
  copy(from: string, to: string, options: { overwrite: boolean }): Promise<number>;
  /** Moves a file or directory. Resolves to the bytes of a moved file, 0 for a directory. */
  move(from: string, to: string, options: { overwrite: boolean }): Promise<number>;
  remove(path: string, options: { recursive: boolean; expects?: Expectation }): Promise<void>;
  list(path: string, options: ListOptions): Promise<FileEntry[]>;
  /** Describes what a path names; a link that it names itself is not followed. */
  stat(path: string): Promise<FileStatus>;
  /** Empties /workspace. */
  clear(): Promise<void>;
  /**
   * Begins a transaction, one at a time: what happens to /workspace until its end can be undone.
   * @throws {FileRefused} there is no room for what must be kept
   */
  begin(options: TransactionOptions): Promise<void>;
  /** Ends it, and all stays as it is. */
  commit(): Promise<void>;
  /**
   * Ends it, and /workspace is what it was before. Programs that were started meanwhile are killed, others stand still for a moment.
   * @throws {FileRefused} something could not be put back
   */
  rollBack(): Promise<void>;
  /** Makes a link of the service's own, outside of /workspace, point to `target`, and makes its directory. @throws {FileRefused} */
  link(path: string, target: string): Promise<void>;
  /** Opens a regular file or a directory, to be read piece by piece whatever its size. Who opened it closes it. */
  openRead(path: string): Promise<FileSource>;
  /** Begins new content for a regular file, whatever its size, and creates parent directories. Who began it commits or aborts it. */
  openWrite(path: string, options?: WriteOptions): Promise<FileSink>;
}

export interface TransactionOptions {
  /** Programs run meanwhile, which may change anything; otherwise only what is asked for here can be undone. */
  readonly whole: boolean;
  /** Bytes that may be kept of files, where all are. */
  readonly most: number;
}

/** An open file. What has its name may be another by now. */
export interface FileSource {
  readonly status: OpenFile;
  /**
   * So many bytes from `offset` on, all of which must lie in the file. Pulling is the back-pressure. A piece is the reader's until the
   * next is pulled; its memory is used again. To be iterated to its end before the next. @throws {FileRefused} it has become shorter
   */
  read(offset: number, length: number): AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): void;
}

export interface OpenFile extends Omit<FileStatus, 'target'> {
  /** Differs whenever the file has changed. */
  readonly version: string;
}

export interface WriteOptions {
  /** Adds to the end of the file itself; otherwise what is there stays as it is until the commit. */
  readonly append?: boolean;
  /** Bytes that will come, where that is known: refused at once when there is no room for them. */
  readonly size?: number;
  /** Permissions; by default those of the file that is there. */
  readonly mode?: number;
  /** What must be there when it begins, and when it is committed; refused as `changed` otherwise. */
  readonly expects?: Expectation;
}

/** What must have a name for something to be done with it: nothing, something, or one of these versions, of which there are 16 at most. */
export type Expectation = 'nothing' | 'something' | { readonly versions: readonly string[] };

export interface FileSink {
  /** Resolves when the bytes have left, and more may be written. @throws {FileRefused} the disk is full; they may not have left then */
  write(data: Uint8Array): Promise<void>;
  /** Puts it in its place. `made`: nothing was there. @throws {FileRefused} and nothing has changed */
  commit(): Promise<OpenFile & { readonly made: boolean }>;
  /** Leaves everything as it was. Idempotent; nothing after a commit. */
  abort(): void;
}

/** A budget that an answer takes its bytes from as they arrive. Throwing refuses the answer, with that error. */
export interface Counted {
  readonly take?: (bytes: number) => void;
}

export interface ReadOptions extends Counted {
  readonly offset?: number;
  readonly length?: number;
}

export interface ListOptions extends Counted {
  readonly recursive: boolean;
  readonly includeHidden: boolean;
  /** 0: no limit; 1: direct children only. */
  readonly maxDepth: number;
}

export interface FileEntry {
  readonly name: string;
  /** Relative to the listed directory's /workspace path, e.g. `src/main.py`. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modifiedAt: number;
}

export interface FileStatus extends Pick<FileEntry, 'type' | 'size' | 'modifiedAt'> {
  /** The twelve bits of chmod(2). */
  readonly mode: number;
  /** Where a link points, as it is written there; null for what is none. */
  readonly target: string | null;
}

/** Totals since the start, except the peaks. Null when the kernel does not provide a figure. */
export interface Measurement {
  readonly cpuMs: number | null;
  readonly peakMemoryBytes: number | null;
  readonly peakProcesses: number | null;
  /** How many processes were killed for memory. */
  readonly oomKills: number;
  /** How many forks the process limit refused. */
  readonly forksRefused: number;
}

/** What a sandbox uses. Null where that can't be known. */
export interface SandboxUsage {
  /** Since its start. */
  readonly cpuMs: number | null;
  readonly memoryBytes: number | null;
  /** Of its memory what its files take. */
  readonly fileBytes: number | null;
}

export interface SandboxLimits {
  readonly memoryBytes: number;
  /** Of all that it may write; part of the memory. */
  readonly diskBytes: number;
  /** Cores, e.g. 0.5. A ceiling, not a reservation. */
  readonly cpus: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly inodes: number;
}

/** A file operation failed; `message` is a sentence for the client and names the path. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
  readonly reason: RefusalReason;
  constructor(message: string, reason: RefusalReason = 'refused') {
    super(message);
    this.reason = reason;
  }
}

/** Not done, because something before it in its chain has failed. */
export class FileSkipped extends Error {
  override readonly name = 'FileSkipped';
}

/** `other_type`: a directory or another thing where a file is needed, or the other way round. `changed`: it is not what was expected. */
export type RefusalReason = 'missing' | 'exists' | 'other_type' | 'full' | 'denied' | 'changed' | 'refused';

export class ProgramNotFound extends Error {
  override readonly name = 'ProgramNotFound';
}

/** The sandbox died under its user: killed from outside, out of memory, or its engine went away. */
export class SandboxLost extends Error {
  override readonly name = 'SandboxLost';
  /** True when the sandbox as a whole ran out of memory. */
  readonly outOfMemory: boolean;
  constructor(message: string, outOfMemory = false) {
    super(message);
    this.outOfMemory = outOfMemory;
  }
}
