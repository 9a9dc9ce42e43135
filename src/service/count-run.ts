import type { RunResult } from '../commands/command.ts';
import type { Metrics } from '../metrics.ts';
import type { Plan } from './placement/lease.ts';

/** Counts a program or cell that has ended. */
export function countRun(
  { runs, runSeconds }: Metrics,
  { language: { name: language }, runtime: { type: runtime } }: Pick<Plan, 'language' | 'runtime'>,
  { outcome, durationMs }: RunResult,
): void {
  runs.inc({ language, runtime, outcome });
  runSeconds.observe({ language, runtime }, durationMs / 1000);
}
