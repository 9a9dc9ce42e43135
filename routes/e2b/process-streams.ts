import type { ExecutionEvent } from '../../src/schemas/events.ts';
import type { EventStream } from '../../src/service/service.ts';
import { endFrame, messageFrame, RpcError } from './connect-protocol.ts';
import { dataEvent, endEvent, KEEPALIVE, startEvent } from './process-events.ts';

/** Of a program, as its clients follow it. */
export interface Followed {
  readonly pid: number;
  readonly isTerminal: boolean;
  readonly events: EventStream;
  /** The client is told when the program ends for its timeout, and not that it was killed. */
  readonly hasTimeout: boolean;
}

export interface StreamTimes {
  /** A sign of life is sent after this long without anything else, milliseconds; null for none. */
  readonly keepaliveMs: number | null;
}

const TIMED_OUT = new RpcError('deadline_exceeded', 'the program was ended at its timeout');

/** Cut short: its sandbox has ended, which clients tell by the connection's end. */
export class StreamCut extends Error {
  override readonly name = 'StreamCut';
}

/**
 * What clients of a program are sent: its start, what it prints from then on, its end. `isGone`: its sandbox ends, and it with that.
 * @throws {StreamCut}
 */
export async function* processFrames(
  { pid, isTerminal, events, hasTimeout }: Followed,
  isGone: () => Promise<boolean>,
  times: StreamTimes,
): AsyncGenerator<Buffer> {
  yield messageFrame(startEvent(pid));
  for await (const event of withSigns(events, times.keepaliveMs)) {
    if (event === null) yield messageFrame(KEEPALIVE);
    else if (event.method === 'execution.output') yield messageFrame(dataEvent(event.params, isTerminal));
    else if (event.method === 'execution.completed') {
      const { outcome } = event.params;
      if ((outcome === 'cancelled' || outcome === 'sandbox_lost') && (await isGone())) throw new StreamCut();
      if (hasTimeout && (outcome === 'wall_timeout' || outcome === 'cpu_timeout'))
        return yield endFrame(TIMED_OUT);
      yield messageFrame(endEvent(event.params));
      return yield endFrame();
    }
  }
  throw new StreamCut();
}

/** The same, with null for each time in which nothing comes. */
async function* withSigns(
  events: AsyncIterable<ExecutionEvent>,
  everyMs: number | null,
): AsyncGenerator<ExecutionEvent | null> {
  if (everyMs === null) return yield* events;
  const iterator = events[Symbol.asyncIterator]();
  let next = iterator.next();
  try {
    while (true) {
      let timer: NodeJS.Timeout | undefined;
      const silence = new Promise<null>(resolve => {
        timer = setTimeout(resolve, everyMs, null);
      });
      const result = await Promise.race([next, silence]);
      clearTimeout(timer);
      if (result === null) {
        yield null;
        continue;
      }
      if (result.done) return;
      yield result.value;
      next = iterator.next();
    }
  } finally {
    // Not awaited: it may be waiting for what never comes, until its reader's signal aborts.
    void iterator.return?.();
  }
}
