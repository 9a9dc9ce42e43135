import type { RunningProgram } from '../service.ts';
import type { CommandRun } from './command-run.ts';

/** The program of a command while it runs; null for one without. */
export function runningProgram(run: CommandRun): RunningProgram | null {
  const { program, startedAt, executionId, commandId, background } = run;
  return program && startedAt && { executionId, commandId, startedAt, background, ...program };
}
