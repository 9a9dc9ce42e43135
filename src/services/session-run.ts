import type { StatusResponse } from '../schemas/execution.ts';
import { type ExecutionStatus, errorTypeOf, statusOf } from '../schemas/outcome.ts';
import type { CommandRun } from './command-run.ts';
import type { Session } from './session.ts';

/** A session's command in the shape of an execution, for `execution.status` and `execution.cancel`. */
export function statusOfCommand(session: Session, run: CommandRun): StatusResponse {
  const { ending } = run;
  const outcome = ending?.outcome ?? null;
  return {
    executionId: run.executionId,
    status: outcome ? statusOf(outcome) : bare(run),
    exitCode: ending?.exitCode ?? null,
    stdout: ending?.stdout ?? '',
    stderr: ending?.stderr ?? '',
    durationMs: ending?.durationMs ?? null,
    timeout: outcome !== null && statusOf(outcome) === 'timeout',
    errorType: outcome && errorTypeOf(outcome),
    createdAt: run.createdAt.toISOString(),
    startedAt: run.startedAt?.toISOString() ?? null,
    completedAt: run.completedAt?.toISOString() ?? null,
    language: session.lease.language.name,
    runtimeType: session.lease.runtime.type,
    outcome,
    signal: ending?.signal ?? null,
    truncated: ending?.truncated ?? false,
    stdoutBytes: ending?.stdoutBytes ?? 0,
    stderrBytes: ending?.stderrBytes ?? 0,
    usage: ending?.usage ?? null,
    compile: null,
    files: [],
    missingFiles: [],
  };
}

/** The status of a command that runs no program, or not yet. */
function bare(run: CommandRun): ExecutionStatus {
  if (run.running) return run.startedAt ? 'running' : 'pending';
  return run.cancelled.aborted ? 'cancelled' : 'completed';
}
