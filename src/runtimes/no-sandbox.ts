import { ServiceError } from '../errors.ts';
import type { Runtime } from './runtime.ts';
import { withoutPaths } from './without-paths.ts';

/**
 * How a start complains when the machine's budget for compiled filters is used up: the kernel answers 524 where it must
 * compile them, and 12 where there is no memory for it (kernel/bpf/core.c). The zygote, bubblewrap and runc, each in its words.
 */
const NO_FILTER = /seccomp[^\n]*(?:errno (?:12|524)\b|cannot allocate memory|unknown error 524)/i;
const RETRY_SECONDS = 1;

/** Why sandboxes could not be started, as the metrics name it. */
export const SHORTAGES = ['filters', 'other'] as const;
export type Shortage = (typeof SHORTAGES)[number];

/** What a client is told when a runtime could not make it a sandbox. */
export class NoSandbox extends ServiceError {
  readonly shortage: Shortage;

  constructor(type: Runtime['type'], error: unknown) {
    const words = withoutPaths(error);
    const shortage = NO_FILTER.test(words) ? 'filters' : 'other';
    const reason =
      shortage === 'filters'
        ? 'the machine has no room for another system call filter (net.core.bpf_jit_limit); try again'
        : words;
    const retry = shortage === 'filters' ? { retryAfter: RETRY_SECONDS } : {};
    super('RUNTIME_UNAVAILABLE', `${type}: no sandbox could be made: ${reason}`, { cause: error, ...retry });
    this.shortage = shortage;
  }
}
