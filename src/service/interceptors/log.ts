import { ERRORS, ServiceError } from '../../errors.ts';
import type { Interceptor } from './interceptor.ts';

/** Longest reason, characters, and how much of a message it is made of: clients write parts of it. */
const REASON = 300;
const READ = 1000;
/** What is quoted, to its end or the message's. */
const QUOTED = /"(?:[^"\\]|\\.)*(?:"|\\?$)/gs;

/**
 * Logs one debug line per call. Refusals for the service's own reasons (no runtime, no room, no store) are
 * logged at `info`. Unexpected errors are logged with their stack where they are answered.
 */
export const logCalls: Interceptor = async ({ name, call }, next) => {
  const startedAt = performance.now();
  const tookMs = () => Math.round(performance.now() - startedAt);
  try {
    const result = await next();
    call.log.debug({ operation: name, tookMs: tookMs() }, 'answered');
    return result;
  } catch (error) {
    const details = { operation: name, tookMs: tookMs() };
    if (!(error instanceof ServiceError)) call.log.debug(details, 'failed');
    else {
      const { code, message } = error;
      const ours = ERRORS[code].retryable || code === 'RUNTIME_UNAVAILABLE';
      call.log[ours ? 'info' : 'debug']({ ...details, code, reason: reasonOf(message) }, 'refused');
    }
    throw error;
  }
};

/** A refusal's message without what it quotes of the client. */
function reasonOf(message: string): string {
  return message.slice(0, READ).replace(QUOTED, '"…"').slice(0, REASON);
}
