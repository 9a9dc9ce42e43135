import type { LimitHit, Outcome } from '../../schemas/outcome.ts';

/** Why the service itself ended a program. The first cause wins. */
export type TerminationReason = 'wall_timeout' | 'cpu_timeout' | 'output_limit' | 'cancelled';

/** What was observed of a run by its end. */
export interface Observations {
  readonly cause: TerminationReason | null;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Processes killed for memory during the run. */
  readonly oomKills: number;
  /** Forks refused during the run. */
  readonly forksRefused: number;
  readonly diskFull: boolean;
  readonly truncated: boolean;
  /** Set when the sandbox was lost during the run. */
  readonly lost: { readonly outOfMemory: boolean } | null;
}

/**
 * Decides the outcome of a run. A limit that was hit is the outcome only if the program then failed; a
 * program that recovers is `ok`.
 */
export function decideOutcome(seen: Observations): Outcome {
  if (seen.cause) return seen.cause;
  if (seen.lost) return seen.lost.outOfMemory ? 'memory_limit' : 'sandbox_lost';
  if (seen.exitCode === 0) return 'ok';
  if (seen.oomKills > 0) return 'memory_limit';
  if (seen.diskFull) return 'disk_limit';
  if (seen.forksRefused > 0) return 'process_limit';
  return seen.signal ? 'signalled' : 'nonzero_exit';
}

export function limitsHit(seen: Observations): LimitHit[] {
  const hit: LimitHit[] = [];
  if (seen.oomKills > 0 || seen.lost?.outOfMemory) hit.push('memory');
  if (seen.forksRefused > 0) hit.push('processes');
  if (seen.diskFull) hit.push('disk');
  if (seen.truncated || seen.cause === 'output_limit') hit.push('output');
  return hit;
}

/** Share of the available CPU from which a wall timeout counts as a CPU timeout. */
const BUSY_SHARE = 0.8;

export function timeoutCause(cpuMs: number | null, wallMs: number, cpus: number): TerminationReason {
  return cpuMs !== null && cpuMs >= BUSY_SHARE * wallMs * Math.min(cpus, 1) ? 'cpu_timeout' : 'wall_timeout';
}
