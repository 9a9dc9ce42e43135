/** One asking: who, for whose eyes, in which order, and until when. Made once at a door and handed down. */
export interface Call {
  /** Names it in the log; the request id that an HTTP client was told. */
  readonly id: string;
  /** The API key's identity; null while the service asks for none. */
  readonly owner: string | null;
  /** Who shares a place in the queue: a key; without keys a connection, or over REST an address. */
  readonly client: string;
  /**
   * What waits for what: commands of one lane to the same context of a session run in the order they were called. A
   * connection's own name; null where nothing waits.
   */
  readonly lane: string | null;
  /** Aborted when the answer is no longer wanted: `$/cancelRequest`, or a socket that closed. */
  readonly signal: AbortSignal;
  /** Every line carries the call's id. */
  readonly log: CallLog;
}

/** The part of a logger that the service uses; pino's fits. */
export interface CallLog {
  debug(details: object, message: string): void;
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}
