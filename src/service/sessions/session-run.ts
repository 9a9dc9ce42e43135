import type { StatusResponse } from '../../schemas/execution.ts';
import { statusResponse } from '../status-response.ts';
import type { CommandRun } from '../supervision/command-run.ts';
import type { Session } from './session.ts';

/** What a command came to, beside how its program ended: for its status and its last event. */
export function whatCame({ cell, message }: CommandRun) {
  return {
    ...(cell && { results: [...cell.results], error: cell.error, executionCount: cell.executionCount }),
    ...(message !== null && { message }),
  };
}

/** A session's command in the shape of an execution, for `execution.status` and `execution.cancel`. */
export function statusOfCommand(session: Session, run: CommandRun): StatusResponse {
  const { language, runtime } = session.lease;
  const status = statusResponse(
    {
      executionId: run.executionId,
      status: run.status ?? (run.startedAt ? 'running' : 'pending'),
      createdAt: run.createdAt.toISOString(),
      startedAt: run.startedAt?.toISOString() ?? null,
      completedAt: run.completedAt?.toISOString() ?? null,
      language: language.name,
      runtimeType: runtime.type,
    },
    run.runResult,
  );
  return { ...status, ...whatCame(run) };
}
