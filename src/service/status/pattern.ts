import { invalid } from '../../errors.ts';
import { STATUS_EVENTS, type StatusEventName } from '../../schemas/status-events.ts';

const NAMES = Object.keys(STATUS_EVENTS) as StatusEventName[];

/**
 * Names of the events that patterns mean: a name, `*` for all, `session.*` for those that begin so.
 * @throws {ServiceError} VALIDATION_ERROR naming the pattern that means none
 */
export function matchingNames(patterns: readonly string[]): ReadonlySet<StatusEventName> {
  const matching = patterns.flatMap((pattern, i) => {
    const names = NAMES.filter(name => matches(name, pattern));
    if (names.length > 0) return names;
    throw invalid(
      `subscribe[${i}]`,
      `means no event; there are ${NAMES.join(', ')}, and * at the end for any`,
    );
  });
  return new Set(matching);
}

function matches(name: string, pattern: string): boolean {
  if (pattern === '*') return true;
  return pattern.endsWith('.*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
