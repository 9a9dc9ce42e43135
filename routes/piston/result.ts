import type { Static } from '@sinclair/typebox';
import type { CompileResult, StatusResponse } from '../../src/schemas/execution.ts';
import { CAUSE_IN_WORDS, type Outcome } from '../../src/schemas/outcome.ts';
import type { FoundRuntime } from './runtimes.ts';

/** How a stage ended, in Piston's words: TO time limit, OL and EL too much stdout or stderr, SG a signal, RE an exit code, XX ours. */
type StageStatus = 'TO' | 'OL' | 'EL' | 'SG' | 'RE' | 'XX' | null;

/** How a compile or run stage ended; times in milliseconds, memory in bytes. */
interface Stage {
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they were printed. */
  readonly output: string;
  readonly code: number | null;
  readonly signal: string | null;
  readonly message: string | null;
  readonly status: StageStatus;
  readonly cpu_time: number | null;
  readonly wall_time: number | null;
  readonly memory: number | null;
}

/** The answer to `POST /execute`. `output` is what the program printed on both streams. */
export function jobResult(
  { language, version }: FoundRuntime,
  status: StatusResponse,
  output: string,
): object {
  const compile = status.compile ? compileStage(status.compile) : undefined;
  const failed = status.outcome === 'compile_error' ? compile : undefined;
  return {
    ...(compile && { compile }),
    // Clients look at run, whatever happened.
    run: failed ?? runStage(status, output),
    language,
    version,
  };
}

function runStage(status: StatusResponse, output: string): Stage {
  const { stdout, stderr, exitCode, usage } = status;
  return {
    stdout,
    stderr,
    output,
    ...exitOf(status),
    code: exitCode,
    cpu_time: usage?.cpuMs ?? null,
    wall_time: usage?.wallMs ?? null,
    memory: usage?.peakMemoryBytes ?? null,
  };
}

function compileStage({
  stdout,
  stderr,
  exitCode,
  outcome,
  durationMs,
}: Static<typeof CompileResult>): Stage {
  return {
    stdout,
    stderr,
    output: stdout + stderr,
    ...exitOf({ outcome, exitCode, signal: null, stdoutBytes: stdout.length, stderrBytes: stderr.length }),
    code: exitCode,
    cpu_time: null,
    wall_time: durationMs,
    memory: null,
  };
}

/** The part of a result that the way it ended decides. */
export function exitOf({
  outcome,
  exitCode,
  signal,
  stdoutBytes,
  stderrBytes,
}: Pick<StatusResponse, 'outcome' | 'exitCode' | 'signal' | 'stdoutBytes' | 'stderrBytes'>): Pick<
  Stage,
  'signal' | 'message' | 'status'
> {
  const words = outcome && CAUSE_IN_WORDS[outcome];
  const ended = statusOf(outcome, stdoutBytes >= stderrBytes ? 'OL' : 'EL');
  // Limits kill.
  if (words)
    return { signal: exitCode === null ? (signal ?? 'SIGKILL') : null, message: words, status: ended };
  if (signal) return { signal, message: `Caught fatal signal ${signal}`, status: ended };
  const message = exitCode ? `Exited with error status ${exitCode}` : null;
  return { signal: null, message, status: ended };
}

function statusOf(outcome: Outcome | null, tooMuch: StageStatus): StageStatus {
  switch (outcome) {
    case 'ok':
      return null;
    case 'wall_timeout':
    case 'cpu_timeout':
      return 'TO';
    case 'output_limit':
      return tooMuch;
    case 'signalled':
    case 'memory_limit':
    case 'cancelled':
      return 'SG';
    case 'sandbox_lost':
    case null:
      return 'XX';
    default:
      return 'RE';
  }
}
