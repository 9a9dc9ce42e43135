import { type Static, Type } from '@sinclair/typebox';
import { NetworkUsage } from './network.ts';
import { nullable, oneOf } from './shapes.ts';

/** How a program ended. `ok` is exit code 0. */
export const Outcome = oneOf(
  [
    'ok',
    'nonzero_exit',
    'signalled',
    'wall_timeout',
    'cpu_timeout',
    'memory_limit',
    'output_limit',
    'process_limit',
    'disk_limit',
    'compile_error',
    'install_error',
    'cancelled',
    'sandbox_lost',
  ],
  'How the program ended; a limit is the outcome only where it made the program fail',
);
export type Outcome = Static<typeof Outcome>;

/** Limits that were hit, also by a program that recovered. */
export const LimitHit = oneOf(['memory', 'processes', 'disk', 'output']);
export type LimitHit = Static<typeof LimitHit>;

/** What a run used. A figure that this kernel can't give is null. */
export const Usage = Type.Object(
  {
    wallMs: Type.Integer({ description: 'From the start of the program to its end' }),
    cpuMs: nullable(Type.Integer({ description: 'CPU time summed over all processes' })),
    peakMemoryBytes: nullable(Type.Integer({ description: 'Most memory at once' })),
    peakProcesses: nullable(Type.Integer({ description: 'Most processes and threads at once' })),
    oomKilled: Type.Boolean({
      description: 'A process was killed for memory, be it a child of a program that went on',
    }),
    limitsHit: Type.Array(LimitHit, {
      description: 'Limits that were hit, also by a program that recovered',
    }),
    network: Type.Optional(NetworkUsage),
  },
  { description: 'What a run used; a figure that this kernel does not give is null' },
);
export type Usage = Static<typeof Usage>;

export function withHit(usage: Usage, hit: LimitHit): Usage {
  return { ...usage, limitsHit: [...new Set([...usage.limitsHit, hit])] };
}

/** The old service's words for an outcome. */
export const ErrorType = oneOf(
  [
    'timeout',
    'memory_limit',
    'output_limit',
    'compilation_error',
    'cancelled',
    'internal_error',
    'runtime_error',
  ],
  'The outcome in fewer words; null when that is ok',
);
export type ErrorType = Static<typeof ErrorType>;

export const ExecutionStatus = oneOf(
  ['pending', 'running', 'completed', 'failed', 'timeout', 'cancelled'],
  'completed is exit code 0; timeout a limit of wall or CPU time; failed all else that went wrong',
);
export type ExecutionStatus = Static<typeof ExecutionStatus>;

export function statusOf(outcome: Outcome): ExecutionStatus {
  if (outcome === 'ok') return 'completed';
  if (outcome === 'wall_timeout' || outcome === 'cpu_timeout') return 'timeout';
  return outcome === 'cancelled' ? 'cancelled' : 'failed';
}

export function errorTypeOf(outcome: Outcome): ErrorType | null {
  switch (outcome) {
    case 'ok':
      return null;
    case 'wall_timeout':
    case 'cpu_timeout':
      return 'timeout';
    case 'memory_limit':
    case 'output_limit':
    case 'cancelled':
      return outcome;
    case 'compile_error':
      return 'compilation_error';
    case 'sandbox_lost':
      return 'internal_error';
    default:
      return 'runtime_error';
  }
}

/** What kept something from its end, in a sentence. */
export const CAUSE_IN_WORDS: Partial<Record<Outcome, string>> = {
  wall_timeout: 'Time limit exceeded (wall_timeout)',
  cpu_timeout: 'CPU time limit exceeded (cpu_timeout)',
  memory_limit: 'Memory limit exceeded (memory_limit)',
  output_limit: 'Output limit exceeded (output_limit)',
  process_limit: 'Process limit exceeded (process_limit)',
  disk_limit: 'Disk limit exceeded (disk_limit)',
  cancelled: 'Cancelled (cancelled)',
  sandbox_lost: 'The sandbox was lost (sandbox_lost)',
};
