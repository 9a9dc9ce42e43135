import { ServiceError } from '../errors.ts';
import type { Runtime } from './runtime.ts';
import { withoutPaths } from './without-paths.ts';

/**
 * Errors of the zygote, bubblewrap and runc when the machine's memory for compiled filters is used up: errno
 * 524 where the kernel must compile them, and 12 where memory is short (kernel/bpf/core.c).
 */
const NO_FILTER = /seccomp[^\n]*(?:errno (?:12|524)\b|cannot allocate memory|unknown error 524)/i;
const RETRY_SECONDS = 1;

/** Reasons of failed starts, as the metrics name them. */
export const SHORTAGES = ['filters', 'other'] as const;
export type Shortage = (typeof SHORTAGES)[number];

/** A runtime could not create a sandbox. */
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
