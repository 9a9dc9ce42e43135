import type { StatusResponse } from '../../schemas/execution.ts';
import { statusResponse } from '../status-response.ts';
import type { CommandRun } from '../supervision/command-run.ts';
import type { Session } from './session.ts';

/** A session's command in the shape of an execution, for `execution.status` and `execution.cancel`. */
export function statusOfCommand(session: Session, run: CommandRun): StatusResponse {
  const { language, runtime } = session.lease;
  return statusResponse(
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
}
