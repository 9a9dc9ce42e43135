import type { RuntimeType, SessionConfig } from '../schemas/session.ts';

/**
 * A language is data: this folder holds one file per language and runs nothing. `index.ts` is the only registration.
 */
export interface Language {
  readonly name: string;
  readonly displayName: string;
  readonly aliases: readonly string[];
  /** Aliases that mean a runtime too, e.g. `bun`. */
  readonly runtimeAliases?: Readonly<Record<string, RuntimeType>>;
  readonly dockerImage: string | null;
  /** Where a one-shot's code is written, relative to /workspace. */
  readonly fileName: string;
  /** In the order that breaks ties of the selection. */
  readonly runtimes: Readonly<Partial<Record<RuntimeType, Toolchain>>>;
}

/** What a client lets a program do, for runtimes that have permissions of their own. */
export interface Grants {
  /** Undefined when the client has not asked for any. */
  readonly permissions: SessionConfig['permissions'];
  /** Names of the variables in the session's own environment. */
  readonly variables: readonly string[];
}

/** How one runtime runs a language. */
export interface Toolchain {
  /**
   * For a language that is compiled: the command that makes `output` of a file, and of `others` that came with it as far as
   * they are sources. `run` is then given the output.
   */
  readonly compile?: (file: string, output: string, others: readonly string[]) => readonly string[];
  /** Command that runs the file; the program's arguments are appended. */
  run(file: string, grants: Grants): readonly string[];
  /** The kernel that keeps state between cells; null where there is none. */
  readonly kernel: KernelSpec | null;
  /** Variables that its programs need in their environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How the interpreter waits just before its program, so that it is warm; absent where it can't. */
  readonly parking?: Parking;
  /** In an image: prints the toolchain's version on its first line. */
  readonly version?: readonly string[];
}

export interface Parking {
  /** Command that starts the interpreter as `run` does, up to where it waits; see src/kernels/protocol.ts. */
  argv(file: string): readonly string[];
  /** What it needs in its environment to wait; gone by the time the program runs. */
  readonly environment: Readonly<Record<string, string>>;
  /** While it waits it can be told to fork itself; see src/kernels/protocol.ts. */
  readonly forks?: boolean;
  /** Names of files that the interpreter reads at its own start: with one of these it must start afresh. */
  readonly readsAtStart: RegExp | null;
}

export interface KernelSpec {
  /** Command that starts the kernel inside the sandbox; kernels lie under {@link KERNELS}. */
  argv(grants: Grants): readonly string[];
  /** A cell that leaves nothing behind and makes the next one fast. */
  readonly warmUp: string;
  /** Before its first cell it can be told to fork itself; see src/kernels/protocol.ts. */
  readonly forks?: boolean;
  /** SIGINT interrupts a running cell and keeps the state; otherwise only a kill does. */
  readonly interruptible: boolean;
}

/** Where every sandbox finds the agent and the kernels, read-only. */
export const KERNELS = '/usr/local/lib/codebeaker';
