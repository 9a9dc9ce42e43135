import type { TimeLimit } from '../../commands/command.ts';
import { invalid } from '../../errors.ts';

/** Milliseconds of a time limit, under the server's highest; null for none. @throws {ServiceError} naming `timeout` */
export function wallMsOf(
  { asked, byDefault }: TimeLimit,
  { maxTimeoutSeconds: most }: { readonly maxTimeoutSeconds: number },
): number | null {
  if (asked !== undefined && asked > most)
    throw invalid('timeout', `is over the ${most} seconds of this server`);
  const seconds = asked ?? (byDefault && Math.min(byDefault, most));
  return seconds === null ? null : seconds * 1000;
}
