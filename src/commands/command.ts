import type { Static, TObject, TSchema } from '@sinclair/typebox';
import type { CellError, MimeBundle } from '../kernels/protocol.ts';
import type { Files, TerminalSize } from '../sandbox.ts';
import type { Encoding } from '../schemas/execution.ts';
import type { LongText } from '../schemas/long-text.ts';
import type { Outcome, Usage } from '../schemas/outcome.ts';
import type { InstalledPackage, InstallReason } from '../schemas/packages.ts';

/**
 * What a client may ask of a session. This folder holds one file per command: name, parameters, result and handler;
 * `index.ts` is the only registration. A command composes what {@link CommandContext} offers and knows nothing of
 * sessions, sockets or how a sandbox is made. Imports: schemas, kernels' protocol, sandbox, errors.
 */
export interface Command<
  T extends string = string,
  P extends TObject = TObject,
  R extends TSchema = TSchema,
> {
  readonly type: T;
  /** Older names of the type. */
  readonly aliases?: readonly string[];
  readonly summary: string;
  readonly params: P;
  /** Older names of fields, e.g. `{ source: 'sourcePath' }`. */
  readonly olderFields?: Readonly<Record<string, string>>;
  /** Values that an older name of the type implies; applied before validation. */
  readonly adapt?: (fields: Record<string, unknown>, type: string) => void;
  readonly result: R;
  run(params: Static<P>, context: CommandContext): Promise<CommandOutcome<Static<R>>>;
}

/** What came of a command: its result and, when it could not do its work, a sentence. */
export interface CommandOutcome<R> {
  readonly result: R | null;
  readonly error?: string;
  /** How its program ended, for commands that run one. */
  readonly runResult?: RunResult;
  /** What a cell came to, beside how it ended. */
  readonly cell?: CellValue;
}

/** A session as its commands see it. */
export interface CommandContext {
  /** Somebody may follow what it prints while it runs. */
  readonly followed: boolean;
  /** A {@link LongText} may stand for a string of its result. */
  readonly takesLongTexts?: boolean;
  readonly files: Files;
  /** Where a program starts: below /workspace, which is the default. @throws {ServiceError} naming the field */
  directory(path: string | undefined, field: string): string;
  /** Runs a program to its end under the session's limits. @throws {ProgramNotFound} */
  runProgram(spec: ProgramSpec): Promise<RunResult>;
  /**
   * Runs a subcommand of the agent as a program of the session: under its limits, on its CPU, seeing what its programs see. Nothing
   * of it is an event of the command's.
   */
  runTool(spec: ToolSpec): Promise<RunResult>;
  /** Starts a program that goes on after the command has answered. */
  startInBackground(spec: ProgramSpec): Promise<void>;
  /** Leaves something running, whose end is the command's though it has answered. */
  goOn(end: Promise<CommandOutcome<unknown>>): void;
  /** Throws at once what is wrong with the cell itself; waits for its turn. */
  runCell(spec: CellSpec): Promise<CellResult>;
  /** Installs packages for the session. Throws at once what is wrong with the list itself. */
  installPackages(spec: InstallSpec): Promise<InstallOutcome>;
  /** Ends the interpreters of a context; the next cell starts afresh. */
  restartContext(context: string): Promise<void>;
  /** The command's `id`, or ours. */
  readonly commandId: string;
  /** By which it can be asked for, and cancelled. */
  readonly executionId: string;
}

export interface ProgramSpec {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Undefined: end of file at once, or what `process.input` brings on a live socket. */
  readonly stdin: string | undefined;
  /** A terminal of this size, of which it reads and to which it prints. */
  readonly pty?: TerminalSize | undefined;
  readonly timeout: TimeLimit;
  /** Of its output in the result; undefined: utf8. */
  readonly stdoutEncoding?: Encoding | undefined;
}

/** Words are as the subcommand takes them (src/agent/artifact.ts). */
export interface ToolSpec {
  readonly words: readonly string[];
  readonly stdin: string;
  /** Bytes of its answer; more of it ends it. */
  readonly maxOutputBytes: number;
  /** It goes on when the command is cancelled: what it does must not stay undone. */
  readonly anyway?: boolean;
}

/** Seconds of wall time: as the client asked, which is refused over the server's highest, or else by default. */
export interface TimeLimit {
  readonly asked: number | undefined;
  /** Null for none. */
  readonly byDefault: number | null;
}

export interface CellSpec {
  readonly code: string;
  /** Undefined: the session's own. */
  readonly language: string | undefined;
  readonly context: string;
  readonly stdin: string | undefined;
  readonly timeout: TimeLimit;
  /** MB; undefined: the session's own. */
  readonly memoryLimit: number | undefined;
  /** Where its interpreter starts, if it does; undefined: where the session's programs do. */
  readonly directory?: string | undefined;
  /** While it runs, beside the session's. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Its values are told as data too, where its interpreter can. */
  readonly structured?: boolean | undefined;
  /** Of its output in the result; undefined: utf8. */
  readonly stdoutEncoding?: Encoding | undefined;
}

export interface InstallSpec {
  readonly list: readonly string[];
  /** Instead of the list: a file of the session's that holds one. */
  readonly file?: { readonly path: string; readonly text: string };
  /** What the list is called where it is refused. */
  readonly field: string;
  /** The installer that the client names, or the language that the packages are for; undefined: the session's. */
  readonly manager?: string | undefined;
  readonly language?: string | undefined;
  /** Sources may be built, and scripts of packages run; by default neither. */
  readonly build?: boolean | undefined;
  /** Seconds, as the client asked. */
  readonly timeout: number | undefined;
}

/** `failed`: nothing was installed. */
export type InstallOutcome =
  | {
      readonly manager: string;
      readonly layer: string;
      readonly installed: InstalledPackage[];
      readonly cached: boolean;
      readonly durationMs: number;
      /** Packages that were there in another version. */
      readonly restartNeeded: string[];
    }
  | {
      readonly failed: {
        readonly reason: InstallReason;
        readonly sentence: string;
        readonly words: string;
      };
    };

/** How a program ended, and all that was kept of it. */
export interface RunResult {
  readonly outcome: Outcome;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Present when both are base64. */
  readonly stdoutEncoding?: 'base64';
  /** Present when bytes of one of them were not UTF-8 and became U+FFFD. */
  readonly encodingErrors?: true;
  /** All that was written, kept or not. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly truncated: boolean;
  readonly durationMs: number;
  readonly usage: Usage;
}

/** What a cell came to, beside how it ended. */
export interface CellValue {
  readonly results: readonly MimeBundle[];
  /** What the results take in memory, bytes. */
  readonly resultBytes: number;
  /** The uncaught exception, if one ended the cell. */
  readonly error: CellError | null;
  /** Counts the cells of the context, this one included. */
  readonly executionCount: number;
}

export interface CellResult extends RunResult, CellValue {
  /** True when the interpreter ended with it, and its state is gone. */
  readonly stateLost: boolean;
}

/** The output of a program as a command's result carries it. */
export function outputOf({ stdout, stderr, stdoutEncoding, encodingErrors }: RunResult) {
  return {
    stdout,
    stderr,
    ...(stdoutEncoding && { stdoutEncoding }),
    ...(encodingErrors && { encodingErrors }),
  };
}

/** Keeps a command's literal type and the types of its schemas. */
export function defineCommand<const T extends string, P extends TObject, R extends TSchema>(
  command: Command<T, P, R>,
): Command<T, P, R> {
  return command;
}
