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
export type Shortage = 'filters' | 'other';

const failures = new Map<string, { runtime: Runtime['type']; reason: Shortage; count: number }>();

/** Sandboxes that could not be started since this process began. */
export function failedStarts(): readonly { runtime: Runtime['type']; reason: Shortage; count: number }[] {
  return [...failures.values()];
}

/** What a client is told when a runtime could not make it a sandbox; it is counted. */
export function noSandbox(type: Runtime['type'], error: unknown): ServiceError {
  const words = withoutPaths(error);
  const reason = NO_FILTER.test(words) ? 'filters' : 'other';
  const failure = failures.get(`${type} ${reason}`) ?? { runtime: type, reason, count: 0 };
  failures.set(`${type} ${reason}`, { ...failure, count: failure.count + 1 });
  if (reason === 'other')
    return new ServiceError('RUNTIME_UNAVAILABLE', `${type}: no sandbox could be made: ${words}`, {
      cause: error,
    });
  const message = `${type}: no sandbox could be made: the machine has no room for another system call filter (net.core.bpf_jit_limit); try again`;
  return new ServiceError('RUNTIME_UNAVAILABLE', message, { cause: error, retryAfter: RETRY_SECONDS });
}
