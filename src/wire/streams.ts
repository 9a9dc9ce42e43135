/**
 * Many byte streams over one: what a program inside connects to is carried out of its sandbox as frames (frames.ts) on
 * descriptor 3 of `agent relay`, and nothing else is. The relay opens streams, one per connection it has accepted, with numbers
 * that are never used twice, and the service opens others, to what listens inside; either end sends data, ends its half, or resets. Each
 * side may send {@link STREAM_WINDOW_BYTES} of a stream before the other has granted more, every frame's cost included. Numbers are little
 * endian. src/agent/relay.c says the same to the agent.
 *
 * What comes out of a sandbox is hostile input: a frame that breaks these rules ends the relay, and with it what it was for.
 */
export const StreamFrame = {
  /** Relay to service, u32 and u32: the port and the address that were connected to, the latter as a number. */
  open: 1,
  /** Bytes, 1 to {@link STREAM_DATA_BYTES}. */
  data: 2,
  /** Empty: no more data from this side. */
  end: 3,
  /** Empty: the stream is gone; no frame of it follows from this side, and none from the other counts. */
  reset: 4,
  /** u32: bytes that the other side may send in addition. */
  credit: 5,
  /** Service to relay, u32 and u32 on stream 0: a port and an address to listen on, 0 for all; port 0: where names are asked for. */
  listen: 6,
  /** Its answer, u32 and u32: the port, and 0 or the error number of why not. */
  listening: 7,
  /** Service to relay, u32 on stream 0: a port to listen on no more. */
  unlisten: 8,
  /** A question of a program's (UDP), up to {@link DATAGRAM_BYTES}, with a number for the answer, which comes back as one of these. */
  datagram: 9,
  /** Service to relay, u32: a port inside to connect to, with a number from {@link FIRST_OF_SERVICE} + 1 on; answered by `connected` or `reset`. */
  connect: 10,
  /** Empty. */
  connected: 11,
} as const;

export const STREAM_WINDOW_BYTES = 256 * 1024;
export const STREAM_DATA_BYTES = 64 * 1024;
/** What each data frame takes of the window beside its bytes, so that single bytes can't fill anybody's memory. */
export const STREAM_FRAME_COST = 256;
/** Streams of one relay at once; further connections wait to be accepted. */
export const MAX_STREAMS = 128;
/** Ports of one relay. */
export const MAX_LISTENERS = 64;
/** Questions of one relay that can still be answered; an older one's answer goes nowhere. */
export const MAX_DATAGRAMS = 64;
export const DATAGRAM_BYTES = 512;
export const FIRST_OF_SERVICE = 0x8000_0000;
