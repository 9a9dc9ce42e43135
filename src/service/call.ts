import type { CallLog } from '../call-log.ts';

/**
 * One request to the service: who asks, in which order it runs, and until when the answer is wanted. Made
 * once, at the door, and passed down.
 */
export interface Call {
  /** Identifies the call in the log; the request id in HTTP answers. */
  readonly id: string;
  /** The API key's identity; null while the service asks for none. */
  readonly owner: string | null;
  /** The unit of fairness in the queue: an API key; without keys a connection, over REST an address. */
  readonly client: string;
  /**
   * Commands of one lane to the same context of a session run in the order they were called. Unique to a
   * connection; null where order does not matter.
   */
  readonly lane: string | null;
  /** Aborted when the answer is no longer wanted: `$/cancelRequest`, or a socket that closed. */
  readonly signal: AbortSignal;
  /** Adds the call's id to every line. */
  readonly log: CallLog;
}

export type { CallLog };
