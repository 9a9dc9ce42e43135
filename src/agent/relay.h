/*
 * `agent relay PORT`: carries connections into and out of a sandbox to the service, as streams in frames on descriptor 3. It runs as a
 * program of the sandbox and has no right that others of it have not. It listens at 127.0.0.1:PORT from its start, for 0 nowhere;
 * where else it listens the service says.
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
  STREAM_LISTEN = 6,
  STREAM_LISTENING = 7,
  STREAM_UNLISTEN = 8,
  STREAM_DATAGRAM = 9,
  STREAM_CONNECT = 10,
  STREAM_CONNECTED = 11,
  STREAM_WINDOW_BYTES = 256 * 1024,
  STREAM_DATA_BYTES = 64 * 1024,
  STREAM_FRAME_COST = 256,
  MAX_STREAMS = 128,
  MAX_LISTENERS = 64,
  MAX_DATAGRAMS = 64,
  DATAGRAM_BYTES = 512,
};

_Noreturn void run_relay(const char *port);

#endif
