import type { RunningProgram } from '../service.ts';
import type { CommandRun } from './command-run.ts';

/** The program of a command while it runs; null before and after. */
export function runningProgram(run: CommandRun): RunningProgram | null {
  const { program, commandId, executionId, background } = run;
  if (!program) return null;
  const { pid, argv, cwd = null, environment = {}, resize } = program;
  return {
    commandId,
    executionId,
    pid,
    commandName: argv[0] ?? '',
    args: argv.slice(1),
    startedAt: (run.startedAt ?? run.createdAt).toISOString(),
    background,
    pty: resize !== undefined,
    cwd,
    environment,
  };
}
