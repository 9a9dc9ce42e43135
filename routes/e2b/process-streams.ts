import type { EventStream } from '../../src/service/service.ts';
import { endFrame, messageFrame, RpcError } from './connect-protocol.ts';
import { dataEvent, endEvent, KEEPALIVE, startEvent } from './process-events.ts';
import { withSilences } from './with-silences.ts';

/** Of a program, as its clients follow it. */
export interface Followed {
  readonly pid: number;
  readonly isTerminal: boolean;
  readonly events: EventStream;
  /** The client is told when the program ends for its timeout, and not that it was killed. */
  readonly hasTimeout: boolean;
}

const TIMED_OUT = new RpcError('deadline_exceeded', 'the program was ended at its timeout');

/** Cut short: its sandbox has ended, which clients tell by the connection's end. */
export class StreamCut extends Error {
  override readonly name = 'StreamCut';
}

/**
 * What clients of a program are sent: its start, what it prints from then on, its end, and a sign of life after each `keepaliveMs`
 * without any of it. `isGone`: its sandbox ends, and it with that.
 * @throws {StreamCut}
 */
export async function* processFrames(
  { pid, isTerminal, events, hasTimeout }: Followed,
  isGone: () => Promise<boolean>,
  keepaliveMs: number | null,
): AsyncGenerator<Buffer> {
  yield messageFrame(startEvent(pid));
  for await (const event of withSilences(events, keepaliveMs)) {
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
