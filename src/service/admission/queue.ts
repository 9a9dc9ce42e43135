/** Admission: which run may start now. */
export interface Queue {
  /**
   * Waits for a slot. Resolves to a function that gives it back; rejects with CANCELLED when the signal
   * aborts first.
   * @throws {ServiceError} QUEUE_FULL, at once
   */
  enter(client: string, signal: AbortSignal): Promise<() => void>;
  readonly running: number;
  readonly waiting: number;
}
