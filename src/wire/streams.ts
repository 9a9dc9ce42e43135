/**
 * Many byte streams over one: what a program inside connects to is carried out of its sandbox as frames (frames.ts) on
 * descriptor 3 of `agent relay`, and nothing else is. The relay opens streams, one per connection it has accepted, with numbers
 * that are never used twice; either end sends data, ends its half, or resets. Each side may send {@link STREAM_WINDOW_BYTES} of a
 * stream before the other has granted more, every frame's cost included. src/agent/relay.c says the same to the agent.
 *
 * What comes out of a sandbox is hostile input: a frame that breaks these rules ends the relay, and with it what it was for.
 */
export const StreamFrame = {
  /** Relay to service, u32: the port inside that was connected to. */
  open: 1,
  /** Bytes, 1 to {@link STREAM_DATA_BYTES}. */
  data: 2,
  /** Empty: no more data from this side. */
  end: 3,
  /** Empty: the stream is gone; no frame of it follows from this side, and none from the other counts. */
  reset: 4,
  /** u32: bytes that the other side may send in addition. */
  credit: 5,
} as const;

export const STREAM_WINDOW_BYTES = 256 * 1024;
export const STREAM_DATA_BYTES = 64 * 1024;
/** What each data frame takes of the window beside its bytes, so that single bytes can't fill anybody's memory. */
export const STREAM_FRAME_COST = 256;
/** Streams of one relay at once; further connections wait to be accepted. */
export const MAX_STREAMS = 128;
