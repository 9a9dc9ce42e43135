import { ServiceError } from '../../errors.ts';
import type { ExecutionEvent } from '../../schemas/events.ts';
import type { Ledger } from '../admission/ledger.ts';
import type { Call } from '../call.ts';
import { pace } from '../events/pace.ts';
import type { EventStream } from '../service.ts';

/** What an event takes in memory beside its texts, about. */
const EVENT_BYTES = 400;

/**
 * The stored events of an execution that has ended. They are in memory until they have been read, or `call.signal` aborts.
 * @throws {ServiceError} QUEUE_FULL when the ledger has no room for them
 */
export function replay(
  events: readonly ExecutionEvent[],
  afterSeq: number,
  { ledger, call }: { ledger: Ledger; call: Call },
): EventStream {
  const { owner, signal } = call;
  const first = events[0]?.params.seq ?? 1;
  const rest = events.filter(event => event.params.seq > afterSeq);
  const bytes = rest.reduce((sum, event) => sum + EVENT_BYTES + outputOf(event), 0);
  if (!ledger.take(owner, bytes))
    throw new ServiceError(
      'QUEUE_FULL',
      'Too many events of runs that have ended are being read; try again later',
    );
  let held = true;
  const leave = () => {
    if (held) ledger.add(owner, -bytes);
    held = false;
    rest.length = 0;
  };
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  return {
    firstAvailable: afterSeq + 1 < first ? first : null,
    lastSeq: events.at(-1)?.params.seq ?? 0,
    async *[Symbol.asyncIterator]() {
      try {
        for (const event of rest) {
          const turn = pace.take(outputOf(event));
          if (turn) await turn;
          yield event;
        }
      } finally {
        leave();
      }
    },
  };
}

/** Characters of output in an event. */
function outputOf({ method, params }: ExecutionEvent): number {
  return method === 'execution.output' ? (params.text ?? params.data ?? '').length : 0;
}
