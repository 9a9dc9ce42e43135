import type { ClientRoom } from '../../src/rpc/answer-room.ts';
import type { Call } from '../../src/service/call.ts';
import type { Outflow } from './outflow.ts';

/** One HTTP request of the protocol: a message and its answer, with notifications before it. */
export interface Exchange {
  /** Its signal is aborted when the client has gone away or has cancelled. */
  readonly call: Call;
  /** Aborted when the client has gone away. */
  readonly gone: AbortSignal;
  /** The client's connection, as its `Mcp-Session-Id` names it; null where the protocol knows none. */
  readonly connection: string | null;
  /** What is on its way to the client while a tool runs. */
  readonly outflow: Outflow;
  /** Counts what the answer takes until it has been sent. */
  readonly room: ClientRoom;
}
