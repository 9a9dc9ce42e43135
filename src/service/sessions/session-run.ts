import type { StatusResponse } from '../../schemas/execution.ts';
import { errorTypeOf, statusOf } from '../../schemas/outcome.ts';
import type { CommandRun } from './command-run.ts';
import type { Session } from './session.ts';

/** A session's command in the shape of an execution, for `execution.status` and `execution.cancel`. */
export function statusOfCommand(session: Session, run: CommandRun): StatusResponse {
  const { runResult } = run;
  const outcome = runResult?.outcome ?? null;
  return {
    executionId: run.executionId,
    status: run.status ?? (run.startedAt ? 'running' : 'pending'),
    exitCode: runResult?.exitCode ?? null,
    stdout: runResult?.stdout ?? '',
    stderr: runResult?.stderr ?? '',
    durationMs: runResult?.durationMs ?? null,
    timeout: outcome !== null && statusOf(outcome) === 'timeout',
    errorType: outcome && errorTypeOf(outcome),
    createdAt: run.createdAt.toISOString(),
    startedAt: run.startedAt?.toISOString() ?? null,
    completedAt: run.completedAt?.toISOString() ?? null,
    language: session.lease.language.name,
    runtimeType: session.lease.runtime.type,
    outcome,
    signal: runResult?.signal ?? null,
    truncated: runResult?.truncated ?? false,
    stdoutBytes: runResult?.stdoutBytes ?? 0,
    stderrBytes: runResult?.stderrBytes ?? 0,
    usage: runResult?.usage ?? null,
    compile: null,
    files: [],
    missingFiles: [],
  };
}
