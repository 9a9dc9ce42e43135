import type { RunResult } from '../commands/command.ts';
import type { StatusResponse } from '../schemas/execution.ts';
import { type ExecutionStatus, errorTypeOf, statusOf } from '../schemas/outcome.ts';

/** What is known of a run besides its result. Times are ISO 8601; null when not reached yet. */
export type RunIdentity = Pick<StatusResponse, 'executionId' | 'createdAt' | 'language' | 'runtimeType'> &
  Partial<Pick<StatusResponse, 'startedAt' | 'completedAt' | 'compile' | 'files' | 'missingFiles'>> & {
    readonly status: ExecutionStatus;
  };

/** Builds the StatusResponse of a one-shot or a session's command, running or ended. */
export function statusResponse(run: RunIdentity, result: RunResult | null): StatusResponse {
  const { executionId, status, createdAt, completedAt = null } = run;
  const { language, runtimeType, compile = null, files = [], missingFiles = [] } = run;
  const outcome = result?.outcome ?? null;
  return {
    executionId,
    status,
    exitCode: result?.exitCode ?? null,
    stdout: result?.stdout ?? '',
    stderr: result?.stderr ?? '',
    ...(result?.stdoutEncoding && { stdoutEncoding: result.stdoutEncoding }),
    ...(result?.encodingErrors && { encodingErrors: result.encodingErrors }),
    durationMs: result?.durationMs ?? null,
    timeout: outcome !== null && statusOf(outcome) === 'timeout',
    errorType: outcome && errorTypeOf(outcome),
    createdAt,
    startedAt: startOf(run, result),
    completedAt,
    language,
    runtimeType,
    outcome,
    signal: result?.signal ?? null,
    truncated: result?.truncated ?? false,
    stdoutBytes: result?.stdoutBytes ?? 0,
    stderrBytes: result?.stderrBytes ?? 0,
    usage: result?.usage ?? null,
    compile,
    files,
    missingFiles,
  };
}

/** When its program started: where that was told late, as early as the program has run. */
function startOf({ createdAt, startedAt = null, completedAt }: RunIdentity, result: RunResult | null) {
  if (startedAt === null || !completedAt || !result) return startedAt;
  const latest = Math.min(Date.parse(startedAt), Date.parse(completedAt) - result.durationMs);
  return new Date(Math.max(Date.parse(createdAt), latest)).toISOString();
}
