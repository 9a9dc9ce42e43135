import type { Call } from '../../src/service/call.ts';
import type { Service } from '../../src/service/service.ts';
import type { Sandbox, Sandboxes } from './sandboxes.ts';

/** Whether a sandbox ends or has ended, by which a program that was cut off is told from one that was killed alone. */
export type IsEnding = (sandbox: Sandbox, call: Call) => Promise<boolean>;

/** One that does is found no more. */
export function endingOf(service: Service, sandboxes: Sandboxes): IsEnding {
  return async (sandbox, call) => {
    try {
      const { state } = await service.sessions.get(sandbox.id, call);
      if (state !== 'Closing' && state !== 'Closed') return false;
    } catch {
      // It has ended.
    }
    sandboxes.drop(sandbox.id);
    return true;
  };
}
