/** A wheel of Python's index, known by its digest whatever the index says. */
export interface PinnedWheel {
  readonly project: string;
  readonly version: string;
  readonly sha256: string;
}

/**
 * A debug adapter for the programs of a toolchain, as data: it runs in their sandbox and speaks the Debug Adapter Protocol on its
 * standard streams, so that whatever a program can make it parse stays inside.
 */
export interface DebuggerSpec {
  readonly name: string;
  readonly version: string;
  /** Has the adapter; installed when it is first wanted. Null: it lies with the kernels, or where the operator has put it. */
  readonly wheel: PinnedWheel | null;
  /** Command that starts it; `directory` is where the wheel is installed, `run` starts a program as the toolchain does. */
  argv(directory: string, run: (file: string) => readonly string[]): readonly string[];
  /** What it needs in its environment beside the session's. */
  readonly environment: Readonly<Record<string, string>>;
  /** It traces what it starts: see `traces` of SpawnSpec. */
  readonly traces?: boolean;
  /** How an operator brings it, where it is missing. */
  readonly remedy?: string;
  /** Arguments of `launch` that it has beside those that every language has, handed on as they are. */
  readonly ownArguments: readonly string[];
  /** Those that it gets whatever the client says. */
  readonly fixedArguments: Readonly<Record<string, unknown>>;
  /** How it debugs the cells of a kernel; absent where it can't. */
  readonly cells?: {
    /** Arguments of `attach`, by which it waits for the kernel to connect. */
    readonly attach: Readonly<Record<string, unknown>>;
    /** Event by which it says on which `port`. */
    readonly waits: string;
  };
  /** Events of its own, which mean nothing to clients. */
  readonly ownEvents: readonly string[];
  /** Requests that it does not answer, and the capabilities that say it would. */
  readonly unanswered: Readonly<Record<string, string>>;
}
