/** Decides who may run now. */
export interface Queue {
  /**
   * Waits for a slot; what it resolves to gives the slot back. Rejects with CANCELLED when the signal aborts the waiting.
   * @throws {ServiceError} QUEUE_FULL, at once
   */
  enter(client: string, signal: AbortSignal): Promise<() => void>;
  readonly running: number;
  readonly waiting: number;
}
