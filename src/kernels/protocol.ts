/**
 * What the service and a kernel say to each other: JSON lines on descriptor 3, both ways. A kernel is the persistent
 * loop of an interpreter inside a sandbox; it runs one cell at a time. What it says is the program's word: bounded,
 * checked, and believed only about its own session.
 *
 * Output goes to the real descriptors 1 and 2. A kernel flushes both before it says `done`; the agent forwards
 * `done` only after everything written before it.
 */

/** Longest line a kernel may send, bytes. A longer one ends it. */
export const MAX_KERNEL_LINE_BYTES = 8 * 1024 * 1024;

/** The most that a kernel tells of an error, characters, beside a mark where it has cut; src/kernels/python/tracebacks.py has the same. */
export const ERROR_CHARACTERS = { name: 256, message: 64 * 1024, traceback: 256 * 1024 } as const;

export interface CellRequest {
  readonly cell: number;
  readonly code: string;
  /**
   * What the kernel opens as its descriptor 0 for this cell (close 0, open, so that the lowest free number is
   * taken): `/dev/null`, or a named pipe or a file, which the kernel unlinks once it is open.
   */
  readonly stdin: string;
  /** TypeScript syntax is allowed; Python ignores it. */
  readonly typescript: boolean;
  /** Variables that are so while the cell runs, and what they were before once it has. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Of Python: values are told as data too, where they are tables or charts, and images that are saved are shown. */
  readonly structured?: boolean | undefined;
  /** Of Python: what came of lines of the cell that install packages, which was done before; by what stands after their `!` or `%`. */
  readonly installs?: Readonly<Record<string, InstallLineResult>> | undefined;
}

export interface InstallLineResult {
  readonly ok: boolean;
  /** To be printed where the line is reached: on standard output, or on standard error where it failed. */
  readonly text: string;
}

/**
 * Comes before a SIGINT that is meant for a cell: where the signal finds it not begun yet, or where this comes before it has, it ends
 * as if the signal had come when it begins. Of a cell that has ended it means nothing.
 */
export interface InterruptRequest {
  readonly interrupt: number;
}

/**
 * Between two cells, to a kernel of Python alone: it connects to a debug adapter that waits on a port of its sandbox, by the debugpy
 * that lies in a directory. Answered by whether it has.
 */
export interface DebugRequest {
  readonly debug: { readonly directory: string; readonly port: number };
}

/** Before the first cell: variables that the kernel was not started with. */
export interface SurroundingsRequest {
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * The one line that releases a program which waits in prewarm/, as a kernel waits for cells: it says `{"ready":true}`
 * on descriptor 3, and closes it with the release.
 */
export interface Release {
  /** Appended to the program's own. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Somebody reads its output while it runs. */
  readonly live?: boolean | undefined;
  /** Descriptor 4 is its standard input, and not descriptor 0. It is closed either way. */
  readonly whole: boolean;
}

/**
 * To an interpreter that waits outside of every sandbox, before anybody's code: it forks itself into one, where the child says
 * `{"ready":true}` on a socket of its own and waits like any other. The service's own word, and trusted. Answered by {@link ForkReply}.
 */
export interface ForkRequest {
  readonly fork: {
    /** Names it in the answer; several may be under way. */
    readonly sandbox: string;
    /** The files whose writers enter the sandbox's control groups, as the interpreter sees them. */
    readonly procs: readonly string[];
    /** One that lists whom the sandbox's agent is among: a program's own leaf is another group than the agent's. */
    readonly members: string;
    /** The sandbox's agent, by its number on the host. */
    readonly agent: number;
    /** Descriptors of the agent's for standard input, output, error, the control socket and descriptor 4; -1 for none. */
    readonly ends: readonly number[];
    /** A descriptor of the agent's for the sandbox's user namespace. */
    readonly users: number;
    /** The host's user that the sandbox is; null for the interpreter's own. */
    readonly uid: number | null;
    /** Where the program starts. */
    readonly cwd: string;
  };
}

export interface ForkReply {
  /** The sandbox. */
  readonly forked: string;
  /** The child's number in there; null where there is none. */
  readonly pid: number | null;
}

export type KernelMessage =
  /** Once, when the first cell may come. */
  | { readonly ready: true }
  /** Once for each {@link DebugRequest}. */
  | { readonly debugged: boolean }
  /** A rich result while the cell runs, or its last value, which is said of it: one MIME bundle. */
  | { readonly cell: number; readonly result: MimeBundle; readonly isValue?: boolean }
  /** `exitCode`: what the cell asked to exit with; without it 0, or 1 with an error. */
  | {
      readonly cell: number;
      readonly done: true;
      readonly error: CellError | null;
      readonly exitCode?: number | undefined;
    };

/** e.g. `{ "text/plain": "42" }`; binary types in base64. */
export type MimeBundle = Readonly<Record<string, unknown>>;

export interface CellError {
  readonly name: string;
  readonly message: string;
  /** As the interpreter prints it, with the user's own line numbers and nothing of the kernel. */
  readonly traceback: string;
}
