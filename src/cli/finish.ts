import type { Run } from '../client/run.ts';
import type { StatusResponse } from '../client/wire.ts';
import { exitCodeOf, exitCodeOfSignal } from './exit-codes.ts';
import { complaintOf, follow } from './follow.ts';
import type { Interruption } from './interruption.ts';
import { printJson, tell, write } from './print.ts';

/** Outcomes of what never began. */
const BEFORE_IT = ['compile_error', 'install_error'];

/** Follows a run to its end, by its output or as JSON. Resolves to the exit code. */
export async function finish(
  run: Run,
  { json, interruption }: { json: boolean; interruption: Interruption },
) {
  const result = json ? await silently(run) : await follow(run);
  if (json) await printJson(result);
  else {
    // An exception is told by nobody else.
    if (result.error) await write(process.stderr, `${result.error.traceback.trimEnd()}\n`);
    // What came before the program is told in the end alone.
    if (BEFORE_IT.includes(result.outcome!)) await write(process.stderr, result.stderr);
    const complaint = complaintOf(result);
    if (complaint !== undefined && interruption.by === undefined) tell(complaint);
  }
  if (result.outcome === 'cancelled' && interruption.by) return exitCodeOfSignal(interruption.by);
  return exitCodeOf(result);
}

/** Reads what nobody wants, which is kept otherwise. */
async function silently(run: Run): Promise<StatusResponse> {
  for await (const _ of run);
  return run.result();
}
