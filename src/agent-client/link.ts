import type { SandboxLost } from '../sandbox.ts';

/** What listens on a channel. Throwing ends the sandbox. */
export interface ChannelListener {
  onMessage(kind: number, payload: Uint8Array): void;
  onLost(reason: SandboxLost): void;
}

/** The stream's sending side, as channels use it. */
export interface Link {
  open(listener: ChannelListener): number;
  close(channel: number): void;
  send(kind: number, channel: number, payload?: Uint8Array): void;
  sendNumber(kind: number, channel: number, value: number): void;
  /** Resolves when the stream takes more. */
  drained(): Promise<void> | undefined;
  /** Waits for what the agent is to answer; one that says nothing at all meanwhile is given up. */
  expect<T>(answer: Promise<T>): Promise<T>;
}
