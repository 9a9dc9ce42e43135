import { ServiceError } from '../errors.ts';
import type { Runtime } from './runtime.ts';
import { withoutPaths } from './without-paths.ts';

/** What a client is told when a runtime could not make it a sandbox. */
export function noSandbox(type: Runtime['type'], error: unknown): ServiceError {
  const reason = withoutPaths(error);
  return new ServiceError('RUNTIME_UNAVAILABLE', `${type}: no sandbox could be made: ${reason}`, {
    cause: error,
  });
}
