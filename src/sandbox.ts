/**
 * What the service needs of a sandbox, and nothing about how one is made. Every command is composed from this
 * interface; forked sandboxes, bubblewrap, containers and pools stand behind it. Interfaces only: this file runs nothing.
 *
 * Paths are absolute inside the sandbox. Durations are milliseconds, sizes bytes.
 */

/** Where a session's files live in every sandbox. */
export const WORKSPACE = '/workspace';

/** One isolated machine: processes, files and a meter, until it is closed. */
export interface Sandbox extends AsyncDisposable {
  /** The `environmentId` of the contract; names its cgroup and its labels too. */
  readonly id: string;
  /** Variables that the place itself needs, such as the PATH of an image; a program gets them unless told otherwise. */
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
  /** What its processes have used so far, measured from outside. Cheap enough to call every 50 ms. Never rejects. */
  measure(): Promise<Measurement>;
  /** Starts a new period for the two peaks of {@link Measurement}. */
  resetPeaks(): void;
  /**
   * Lowers or restores what all its processes together may use, at most what it was made with. Resolves to false
   * when they use more than that already and the limit stays as it was.
   */
  limitMemory(bytes: number): Promise<boolean>;
  /**
   * Gives it other limits before its first use, memory and disk included. Resolves to false where that
   * can't be done; it is then as good as spent.
   */
  resize(limits: SandboxLimits): Promise<boolean>;
  /** Whether a disk that /workspace and /tmp share or are is full, as of the last end of a program or cell. */
  diskFull(): boolean;
  /** Resolves, never rejects, when the sandbox ends without having been closed; events of its programs say so before. */
  readonly lost: Promise<SandboxLost>;
  /** Kills whatever runs in it and removes every trace; its disposal is the same. Idempotent; resolves when nothing remains. */
  close(): Promise<void>;
}

export interface SpawnSpec {
  /** Program and arguments, handed over byte for byte. A name without a slash is looked up on the PATH of `env`. */
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  /** `none`: end of file at once. `pipe`: fed by {@link Process.write} until {@link Process.endInput}. */
  readonly stdin: 'none' | 'pipe';
  /** Gives the program a stream socket as descriptor 3; both directions are `control` here. For kernels. */
  readonly control?: boolean;
  /**
   * It is an interpreter that can fork itself, and need not be started afresh: it comes from one that waits elsewhere, where
   * the sandbox `preforks`. For the first program of a sandbox only: nothing hostile is in there yet.
   */
  readonly preforks?: boolean;
}

/** One started program and, through `kill`, all that descends from it. */
export interface Process {
  /**
   * Everything the program says, in order, ending with one `exit`. Output written before a `control` message or
   * before the exit comes before it. Pulling is the back-pressure: while nobody pulls, at most 256 KiB are held and
   * the program blocks on its next write. May be iterated once. Throws SandboxLost if the sandbox dies first.
   */
  readonly events: AsyncIterable<ProcessEvent>;
  /** Feeds standard input. Resolves when the sandbox has room for more; what a closed pipe refuses is dropped. */
  write(data: Uint8Array): Promise<void>;
  /** End of file on standard input, after everything written. */
  endInput(): void;
  /** Sends bytes to descriptor 3. */
  sendControl(data: Uint8Array): void;
  /**
   * Makes a fresh standard input for a kernel's next cell: a named pipe inside the sandbox, which `write` and
   * `endInput` feed from then on; what the last one has not taken is dropped. Resolves to its path, once the program
   * has ended to /dev/null. @throws {FileRefused} the disk is full
   */
  openInput(): Promise<string>;
  /** Sends a signal to the program's process group. */
  signal(name: SignalName): void;
  /**
   * Ends the program and everything started since that descends from it or was orphaned meanwhile, also what called
   * setsid, forked twice or is stopped. With `keepRoot` only the descendants die: a kernel survives its cell.
   */
  kill(options?: { keepRoot?: boolean }): void;
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
  /** Creates parent directories. `append` adds to the end, otherwise the file is replaced. */
  write(path: string, data: Uint8Array, options?: { append?: boolean }): Promise<void>;
  /**
   * Reads a regular file, at most LIMITS.readBytes (src/schemas/limits.ts) at once; without a length a larger one is refused. `size` is
   * the whole file's.
   */
  read(
    path: string,
    options?: { offset?: number; length?: number },
  ): Promise<{ data: Uint8Array; size: number }>;
  /** `false` when the directory was there already. */
  makeDirectory(path: string, options: { recursive: boolean }): Promise<boolean>;
  /** Resolves to the bytes copied. Directories are refused. */
  copy(from: string, to: string, options: { overwrite: boolean }): Promise<number>;
  /** Moves a file or directory. Resolves to the bytes of a moved file, 0 for a directory. */
  move(from: string, to: string, options: { overwrite: boolean }): Promise<number>;
  remove(path: string, options: { recursive: boolean }): Promise<void>;
  list(path: string, options: ListOptions): Promise<FileEntry[]>;
  /** Empties /workspace. */
  clear(): Promise<void>;
}

export interface ListOptions {
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

/** Totals since the sandbox was made, save the peaks. A figure that this kernel can't give is null. */
export interface Measurement {
  readonly cpuMs: number | null;
  readonly peakMemoryBytes: number | null;
  readonly peakProcesses: number | null;
  /** How many processes were killed for memory. */
  readonly oomKills: number;
  /** How many forks the process limit refused. */
  readonly forksRefused: number;
}

export interface SandboxLimits {
  readonly memoryBytes: number;
  /** Of all that it may write, which is part of the memory. */
  readonly diskBytes: number;
  /** Cores, e.g. 0.5. A ceiling, not a reservation. */
  readonly cpus: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly inodes: number;
}

/** A file operation that could not be done; `message` is a sentence for the client, with the path in it. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused';
}

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
