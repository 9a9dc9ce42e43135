import { type Static, Type } from '@sinclair/typebox';
import { CellError, MimeBundle } from './cell.ts';
import { ImageReference } from './image-reference.ts';
import { LIMITS } from './limits.ts';
import { NetworkRules } from './network.ts';
import { ErrorType, ExecutionStatus, Outcome, Usage } from './outcome.ts';
import { PackageList } from './packages.ts';
import { RuntimeName, RuntimePreference } from './session.ts';
import { closed, Environment, ExecutionId, nullable, oneOf, timestamp } from './shapes.ts';

export const Encoding = oneOf(['utf8', 'base64']);
export type Encoding = Static<typeof Encoding>;

/** Of a request: how its stdout and stderr come back. */
export const StdoutEncoding = Type.Optional(
  oneOf(
    ['utf8', 'base64'],
    'Of stdout and stderr in the reply, utf8 by default; notifications are the same with either',
  ),
);
/** Of a reply: how its stdout and stderr are to be read. */
export const outputEncoding = {
  stdoutEncoding: Type.Optional(
    Type.Literal('base64', { description: 'stdout and stderr are base64, as the request asked' }),
  ),
  encodingErrors: Type.Optional(
    Type.Literal(true, {
      description: 'Bytes of stdout or stderr were not UTF-8 and became U+FFFD; stdoutEncoding keeps them',
    }),
  ),
};

/** Limits and surroundings of a run. `CODEBEAKER_MAX_TIMEOUT_SECONDS` and `CODEBEAKER_MAX_MEMORY_MB` bound them. */
export const ExecutionConfig = closed(
  {
    timeout: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        default: LIMITS.timeoutSeconds,
        description: 'Wall seconds from the start of the program',
      }),
    ),
    compileTimeout: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        default: LIMITS.compileTimeoutSeconds,
        description: 'Wall seconds of the compile stage',
      }),
    ),
    cpuTime: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        description: 'CPU seconds summed over all processes; none by default',
      }),
    ),
    memoryLimit: Type.Optional(
      Type.Integer({ minimum: LIMITS.minMemoryMB, default: LIMITS.memoryMB, description: 'MB' }),
    ),
    cpuLimit: Type.Optional(
      Type.Number({ minimum: 0.05, maximum: 64, default: 1, description: 'Cores, a ceiling' }),
    ),
    disableNetwork: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'false without `network`: the program may connect to all that the operator allows',
      }),
    ),
    network: Type.Optional(NetworkRules),
    readOnlyFilesystem: Type.Optional(
      Type.Boolean({
        default: true,
        description:
          'false is refused: programs own nothing of the root. /workspace, /tmp and the home can be written',
      }),
    ),
    environment: Type.Optional(Environment),
    packages: Type.Optional(PackageList),
  },
  'Limits and surroundings of the run',
);
export type ExecutionConfig = Static<typeof ExecutionConfig>;

export const InputFile = closed({
  path: Type.String({ description: 'Relative to /workspace' }),
  content: Type.String({ description: 'All of it' }),
  encoding: Type.Optional({ ...Encoding, description: 'Of content; default: utf8' }),
});
export type InputFile = Static<typeof InputFile>;

export const ExecuteRequest = closed(
  {
    code: Type.String({
      minLength: 1,
      maxLength: LIMITS.codeLength,
      description: 'Source of the program, which is written to its main file',
    }),
    language: Type.String({ minLength: 1, maxLength: 64, description: 'Name or alias' }),
    config: Type.Optional(ExecutionConfig),
    stdin: Type.Optional(
      Type.String({ description: 'What the program reads from standard input; without it nothing' }),
    ),
    stdoutEncoding: StdoutEncoding,
    args: Type.Optional(
      Type.Array(Type.String({ pattern: '^[^\\u0000]*$' }), {
        maxItems: 4096,
        description: 'Arguments of the program, without NUL characters',
      }),
    ),
    files: Type.Optional(
      Type.Array(InputFile, { maxItems: 1000, description: 'Written to /workspace before the run' }),
    ),
    outputFiles: Type.Optional(
      Type.Array(Type.String(), {
        maxItems: 1000,
        description: 'Read after the run; a name ending in ? may be missing',
      }),
    ),
    runtimePreference: Type.Optional(RuntimePreference),
    runtimeType: Type.Optional(RuntimeName),
    dockerImage: Type.Optional(ImageReference),
  },
  'A program to run, once, in a sandbox of its own',
);
export type ExecuteRequest = Static<typeof ExecuteRequest>;

export const ExecuteResponse = Type.Object(
  { executionId: ExecutionId, status: ExecutionStatus, createdAt: timestamp('When it was taken') },
  { description: 'A run that has been taken and has not ended' },
);
export type ExecuteResponse = Static<typeof ExecuteResponse>;

export const OutputFile = Type.Object(
  {
    path: Type.String({ description: 'As outputFiles named it' }),
    content: Type.Optional(Type.String({ description: 'All of it, where it fits in the result' })),
    encoding: Type.Optional(oneOf(['utf8', 'base64'], 'base64 where its bytes are not UTF-8')),
    url: Type.Optional(
      Type.String({
        description:
          'Instead of content, where those before it left no room: its path on this server, to be fetched as long as the result is kept',
      }),
    ),
    size: Type.Optional(Type.Integer({ description: 'Bytes of what the url brings' })),
  },
  { description: 'A file that a run brings back' },
);
export type OutputFile = Static<typeof OutputFile>;

/** The result of a compile stage; null for languages without one. */
export const CompileResult = Type.Object(
  {
    exitCode: nullable(
      Type.Integer({ description: 'Of the compiler; null when a signal or a limit ended it' }),
    ),
    stdout: Type.String({ description: 'What the compiler printed' }),
    stderr: Type.String({ description: 'Its complaints' }),
    ...outputEncoding,
    outcome: Outcome,
    durationMs: Type.Integer({ description: 'Wall time, milliseconds' }),
  },
  { description: 'How the compiling of a program ended' },
);
export type CompileResult = Static<typeof CompileResult>;

export const StatusResponse = Type.Object(
  {
    executionId: ExecutionId,
    status: ExecutionStatus,
    exitCode: nullable(Type.Integer({ description: 'null when a signal ended the program' })),
    stdout: Type.String({
      description: "What it printed, up to the server's CODEBEAKER_MAX_OUTPUT_BYTES; empty while it runs",
    }),
    stderr: Type.String({ description: 'The same of standard error' }),
    ...outputEncoding,
    durationMs: nullable(
      Type.Integer({ description: 'Wall time from the start of the program to its end, milliseconds' }),
    ),
    timeout: Type.Boolean({ description: 'A limit of wall or CPU time ended it' }),
    errorType: nullable(ErrorType),
    createdAt: timestamp('When it was taken'),
    startedAt: nullable(timestamp('When its program started; null before that')),
    completedAt: nullable(timestamp('When it ended; null before that')),
    language: Type.String({ description: 'Name of its language, whatever alias the request had' }),
    runtimeType: nullable(Type.String({ description: 'What ran it, such as Python or Docker' })),
    outcome: nullable(Outcome),
    signal: nullable(Type.String({ description: 'The signal that ended the program, such as SIGKILL' })),
    truncated: Type.Boolean({ description: 'stdout or stderr is not all that was printed' }),
    stdoutBytes: Type.Integer({ description: 'All that was printed to stdout, kept or not' }),
    stderrBytes: Type.Integer({ description: 'The same of stderr' }),
    usage: nullable(Usage, 'What it used; null while it runs'),
    compile: nullable(CompileResult, 'How its compiling ended; null for languages without a compiler'),
    files: Type.Array(OutputFile, { description: 'Those of outputFiles that were there' }),
    missingFiles: Type.Array(Type.String(), {
      description: 'Those of outputFiles that were not, without those whose name ended in ?',
    }),
    results: Type.Optional(
      Type.Array(MimeBundle, { description: 'Of a cell: its rich results, in order; the last is its value' }),
    ),
    error: Type.Optional(nullable(CellError)),
    executionCount: Type.Optional(Type.Integer({ description: 'Of a cell: counts those of its context' })),
    message: Type.Optional(
      Type.String({
        description: "Why a command of a session did not succeed, as in its CommandResult's error",
      }),
    ),
  },
  { description: 'How a run is doing, or how it ended' },
);
export type StatusResponse = Static<typeof StatusResponse>;
