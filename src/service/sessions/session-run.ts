import type { StatusResponse } from '../../schemas/execution.ts';
import { errorTypeOf, statusOf } from '../../schemas/outcome.ts';
import type { CommandRun } from './command-run.ts';
import type { Session } from './session.ts';

/** A session's command in the shape of an execution, for `execution.status` and `execution.cancel`. */
export function statusOfCommand(session: Session, run: CommandRun): StatusResponse {
  const { ending } = run;
  const outcome = ending?.outcome ?? null;
  return {
    executionId: run.executionId,
    status: run.status ?? (run.startedAt ? 'running' : 'pending'),
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
