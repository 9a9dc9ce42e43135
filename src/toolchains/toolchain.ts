import type { SessionConfig } from '../schemas/session.ts';
import type { DebuggerSpec } from './debugger.ts';

/**
 * What interprets or compiles programs: commands and environments as data, a file each, that run nothing. How a program is
 * walled is not theirs to know: any toolchain can be on any runtime.
 */
export interface Toolchain {
  readonly name: string;
  /** What a compiler's words mean, in sentences for who sees them for the first time; null where they say it themselves. */
  explain?(words: string): string | null;
  /**
   * For a compiler: the command that makes `output` of a file, and of `others` that came with it as far as they are
   * sources. `run` is then given the output.
   */
  readonly compile?: (file: string, output: string, others: readonly string[]) => readonly string[];
  /** Command that runs the file; the program's arguments are appended. */
  run(file: string, permissions: Permissions): readonly string[];
  /** The kernel that keeps state between cells; null where there is none. */
  readonly kernel: KernelSpec | null;
  /** Variables that its programs need in their environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Absent where there is none. */
  readonly debugger?: DebuggerSpec;
  /** How the interpreter waits just before its program; absent where it can't. */
  readonly prewarm?: Prewarm;
  /** Prints the toolchain's version on its first line. */
  readonly version: readonly string[];
  /** Prints its version, then its own /proc/self/smaps_rollup while idle; where it can lie on this machine. */
  readonly probe?: readonly string[];
  /** The command that brings it to this machine when the probe does not find it; what apt installs is run as root. */
  readonly remedy?: { readonly command: string; readonly asRoot: boolean };
  /** It counts the CPUs once, at its start: one that waits is of no use under another limit. */
  readonly countsCpus?: boolean;
  /** It has permissions of its own, which a client may set. */
  readonly permissions?: boolean;
  /** Programs are written for the newest version that a server has: an older one serves only who names its runtime. */
  readonly newestOnly?: boolean;
}

/** What a client lets a program do, for toolchains that have permissions of their own. */
export interface Permissions {
  /** Undefined when the client has not asked for any. */
  readonly asked: SessionConfig['permissions'];
  /** Names of the variables in the session's own environment. */
  readonly variables: readonly string[];
  /** Its sandbox has a network, which holds it to the rules whatever it may do itself. */
  readonly network: boolean;
}

/** What holds for a program nobody has asked permissions for, with no variables of anybody's. */
export const NO_PERMISSIONS: Permissions = { asked: undefined, variables: [], network: false };

export interface Prewarm {
  /** Command that starts the interpreter as `run` does, up to where it waits; see src/kernels/protocol.ts. */
  argv(file: string): readonly string[];
  /** What it needs in its environment to wait; gone by the time the program runs. */
  readonly environment: Readonly<Record<string, string>>;
  /** While it waits it can be told to fork itself; see src/kernels/protocol.ts. */
  readonly preforks?: boolean;
  /** It hands the environment on to children as it was at its start: with other variables it must start afresh. */
  readonly keepsEnvironment?: boolean;
  /** Names of files that the interpreter reads at its own start: with one of these it must start afresh. */
  readonly readsAtStart: RegExp | null;
}

export interface KernelSpec {
  /** Command that starts the kernel inside the sandbox; kernels lie under {@link KERNELS}. */
  argv(permissions: Permissions): readonly string[];
  /** A cell that leaves nothing behind and makes the next one fast. */
  readonly warmUp: string;
  /** Before its first cell it can be told to fork itself; see src/kernels/protocol.ts. */
  readonly preforks?: boolean;
  /** SIGINT interrupts a running cell and keeps the state; otherwise only a kill does. */
  readonly interruptible: boolean;
}

/** Where every sandbox finds the agent and the kernels, read-only. */
export const KERNELS = '/usr/local/lib/codebeaker';
/** Where interpreters lie whose name on the PATH is another program's, which adds to what they say of the network. */
export const BEHIND_OFFLINE = `${KERNELS}/bin`;
