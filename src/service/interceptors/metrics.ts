import { ServiceError } from '../../errors.ts';
import type { Metrics } from '../../metrics.ts';
import type { Interceptor } from './interceptor.ts';

/** Counts calls by operation and result, and tells that the service is used. */
export function countCalls({ calls, use }: Metrics): Interceptor {
  return async ({ name: operation }, next) => {
    use.begin();
    try {
      const result = await next();
      calls.inc({ operation, code: 'ok' });
      return result;
    } catch (error) {
      calls.inc({ operation, code: error instanceof ServiceError ? error.code : 'INTERNAL_ERROR' });
      throw error;
    } finally {
      use.end();
    }
  };
}
