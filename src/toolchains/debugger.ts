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
  /** Has the adapter; installed when it is first wanted. */
  readonly wheel: PinnedWheel;
  /** Command that starts it; `directory` is where the wheel is installed. */
  argv(directory: string): readonly string[];
  /** What it needs in its environment beside the session's. */
  readonly environment: Readonly<Record<string, string>>;
  /** Arguments of `launch` that it has beside those that every language has, handed on as they are. */
  readonly ownArguments: readonly string[];
  /** Those that it gets whatever the client says. */
  readonly fixedArguments: Readonly<Record<string, unknown>>;
  /** Events of its own, which mean nothing to clients. */
  readonly ownEvents: readonly string[];
  /** Requests that it does not answer, and the capabilities that say it would. */
  readonly unanswered: Readonly<Record<string, string>>;
}
