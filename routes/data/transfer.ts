import type { ServiceError } from '../../src/errors.ts';
import type { DataFrame } from './frames.ts';
import type { Id } from './messages.ts';

/** What either side may send before the other has granted more, bytes of payload. */
export const WINDOW_BYTES = 4 * 1024 * 1024;
/** A client that neither brings nor takes a byte of a transfer for this long loses it, milliseconds. */
export const IDLE_MS = 60_000;

/** What a transfer says to its client. */
export type Say = (message: object) => void;
/** Sends bytes of a transfer; resolves when they have left and their memory may be used again, or never once the connection is gone. */
export type SendData = (frame: { transfer: number; offset: number; payload: Uint8Array }) => Promise<void>;

/** One file on its way over a connection. */
export interface ActiveTransfer {
  readonly id: Id;
  readonly number: number;
  /** Bytes of the client's that are not taken yet. */
  readonly held: number;
  /** Bytes of the client's. @throws {ServiceError} they do not belong here */
  onData(frame: DataFrame): void;
  /** The client has no more. @throws {ServiceError} it has none to send here */
  onEnd(): void;
  /** The client may be sent so many more. @throws {ServiceError} it is sent none */
  onWindow(bytes: number): void;
  /** Ends it: for a cancellation or a fault of the client's with the reason, which it is told; null when the connection is gone. */
  stop(reason: ServiceError | null): void;
  /** Resolves with what its client is told at the end. Rejects with why it has none. */
  readonly done: Promise<object>;
}
