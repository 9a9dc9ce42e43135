/*
 * `agent relay PORT`: carries connections to 127.0.0.1:PORT of a sandbox to the service, as streams in frames on descriptor 3. It runs
 * as a program of the sandbox and has no right that others of it have not.
 */
#ifndef RELAY_H
#define RELAY_H

/* Numbers of src/wire/streams.ts; a test compares the two. */
enum {
  STREAM_OPEN = 1,
  STREAM_DATA = 2,
  STREAM_END = 3,
  STREAM_RESET = 4,
  STREAM_CREDIT = 5,
  STREAM_WINDOW_BYTES = 256 * 1024,
  STREAM_DATA_BYTES = 64 * 1024,
  STREAM_FRAME_COST = 256,
  MAX_STREAMS = 128,
};

_Noreturn void run_relay(const char *port);

#endif
