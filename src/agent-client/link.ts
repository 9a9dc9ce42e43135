import type { SandboxLost } from '../sandbox.ts';

/** Receives a channel's frames. Throwing ends the sandbox. */
export interface ChannelListener {
  /** `rest`: bytes that are still to come of the same frame, of a kind that comes in pieces (src/wire/frames.ts). */
  onMessage(kind: number, payload: Uint8Array, rest: number): void;
  onLost(reason: SandboxLost): void;
}

/** The sending side of the stream. */
export interface Link {
  open(listener: ChannelListener): number;
  close(channel: number): void;
  send(kind: number, channel: number, payload?: Uint8Array): void;
  /** Sends without a copy; resolves when the bytes have left, or the stream is gone. */
  sendAsIs(kind: number, channel: number, payload: Uint8Array): Promise<void>;
  sendNumber(kind: number, channel: number, value: number): void;
  /** Resolves when the stream takes more. */
  drained(): Promise<void> | undefined;
  /** Awaits an answer; an agent that sends nothing at all for too long is given up. */
  expect<T>(answer: Promise<T>): Promise<T>;
}
