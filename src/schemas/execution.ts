import { type Static, Type } from '@sinclair/typebox';
import { CellError, MimeBundle } from './cell.ts';
import { ImageReference } from './image-reference.ts';
import { LIMITS } from './limits.ts';
import { ErrorType, ExecutionStatus, Outcome, Usage } from './outcome.ts';
import { RuntimePreference } from './session.ts';
import { closed, Environment, nullable, oneOf, Timestamp } from './shapes.ts';

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
export const ExecutionConfig = closed({
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
  disableNetwork: Type.Optional(Type.Boolean({ default: true, description: 'false is not supported yet' })),
  readOnlyFilesystem: Type.Optional(
    Type.Boolean({
      default: true,
      description:
        'false is refused: programs own nothing of the root. /workspace, /tmp and the home can be written',
    }),
  ),
  environment: Type.Optional(Environment),
  packages: Type.Optional(Type.Array(Type.String(), { description: 'Must be empty: not supported yet' })),
});
export type ExecutionConfig = Static<typeof ExecutionConfig>;

export const InputFile = closed({
  path: Type.String({ description: 'Relative to /workspace' }),
  content: Type.String(),
  encoding: Type.Optional(Encoding),
});
export type InputFile = Static<typeof InputFile>;

export const ExecuteRequest = closed({
  code: Type.String({ minLength: 1, maxLength: LIMITS.codeLength }),
  language: Type.String({ minLength: 1, maxLength: 64, description: 'Name or alias' }),
  config: Type.Optional(ExecutionConfig),
  stdin: Type.Optional(Type.String()),
  stdoutEncoding: StdoutEncoding,
  args: Type.Optional(Type.Array(Type.String({ pattern: '^[^\\u0000]*$' }), { maxItems: 4096 })),
  files: Type.Optional(Type.Array(InputFile, { maxItems: 1000 })),
  outputFiles: Type.Optional(
    Type.Array(Type.String(), {
      maxItems: 1000,
      description: 'Read after the run; a name ending in ? may be missing',
    }),
  ),
  runtimePreference: Type.Optional(RuntimePreference),
  runtimeType: Type.Optional(Type.String()),
  dockerImage: Type.Optional(ImageReference),
});
export type ExecuteRequest = Static<typeof ExecuteRequest>;

export const ExecuteResponse = Type.Object({
  executionId: Type.String(),
  status: ExecutionStatus,
  createdAt: Timestamp,
});
export type ExecuteResponse = Static<typeof ExecuteResponse>;

export const OutputFile = Type.Object({ path: Type.String(), content: Type.String(), encoding: Encoding });
export type OutputFile = Static<typeof OutputFile>;

/** The result of a compile stage; null for languages without one. */
export const CompileResult = Type.Object({
  exitCode: nullable(Type.Integer()),
  stdout: Type.String(),
  stderr: Type.String(),
  ...outputEncoding,
  outcome: Outcome,
  durationMs: Type.Integer(),
});
export type CompileResult = Static<typeof CompileResult>;

export const StatusResponse = Type.Object({
  executionId: Type.String(),
  status: ExecutionStatus,
  exitCode: nullable(Type.Integer({ description: 'null when a signal ended the program' })),
  stdout: Type.String(),
  stderr: Type.String(),
  ...outputEncoding,
  durationMs: nullable(Type.Integer()),
  timeout: Type.Boolean(),
  errorType: nullable(ErrorType),
  createdAt: Timestamp,
  startedAt: nullable(Timestamp),
  completedAt: nullable(Timestamp),
  language: Type.String(),
  runtimeType: nullable(Type.String()),
  outcome: nullable(Outcome),
  signal: nullable(Type.String()),
  truncated: Type.Boolean(),
  stdoutBytes: Type.Integer(),
  stderrBytes: Type.Integer(),
  usage: nullable(Usage),
  compile: nullable(CompileResult),
  files: Type.Array(OutputFile),
  missingFiles: Type.Array(Type.String()),
  results: Type.Optional(Type.Array(MimeBundle, { description: 'Of a cell: its rich results' })),
  error: Type.Optional(nullable(CellError)),
  executionCount: Type.Optional(Type.Integer({ description: 'Of a cell: counts those of its context' })),
  message: Type.Optional(
    Type.String({
      description: "Why a command of a session did not succeed, as in its CommandResult's error",
    }),
  ),
});
export type StatusResponse = Static<typeof StatusResponse>;
