/*
 * The language between the service and the agent, as src/wire/messages.ts has it; a test compares the two. A frame is
 * `u32 length, u8 kind, u32 channel, payload`, little endian; `length` counts kind, channel and payload.
 */
#ifndef PROTOCOL_H
#define PROTOCOL_H

enum {
  PROTOCOL_VERSION = 11,
  LENGTH_BYTES = 4,
  HEADER_BYTES = 9,
  MAX_FRAME_BYTES = 1024 * 1024,
  DATA_FRAME_BYTES = 64 * 1024,
  OUTPUT_WINDOW_BYTES = 256 * 1024,
  OUTPUT_FRAME_COST = 256,
  STREAM_WINDOW_BYTES = 512 * 1024,
  STREAM_FRAME_COST = 256,
  /*
   * Asks an interpreter to write what it holds of its output and to end (src/kernels/every-python). Sent to what catches it and not the
   * other one, as programs do that catch every signal.
   */
  FLUSH_SIGNAL = 61,
  NO_FLUSH_SIGNAL = 60,
};

enum to_agent {
  TO_SPAWN = 1,
  TO_INPUT = 2,
  TO_END_INPUT = 3,
  TO_CONTROL = 4,
  TO_SIGNAL = 5,
  TO_KILL = 6,
  TO_CREDIT = 7,
  TO_OPEN_INPUT = 8,
  TO_ALIVE = 9,
  TO_PREPARE = 10,
  TO_ADOPT = 11,
  TO_WHOLE_INPUT = 12,
  TO_SPAWN_INPUT = 13,
  TO_SHOW_LIMITS = 14,
  TO_RESIZE_TERMINAL = 15,
  TO_FILE = 16,
  TO_FILE_DATA = 17,
  TO_STREAM_DATA = 18,
  TO_STREAM_END = 19,
  TO_STREAM_WINDOW = 20,
  TO_STREAM_RESET = 21,
  TO_BEGIN = 22,
  TO_FILE_CHAIN = 24,
};

enum from_agent {
  FROM_READY = 64,
  FROM_SPAWNED = 65,
  FROM_FAILED = 66,
  FROM_STDOUT = 67,
  FROM_STDERR = 68,
  FROM_CONTROL = 69,
  FROM_EXIT = 70,
  FROM_INPUT_TAKEN = 71,
  FROM_INPUT_OPENED = 72,
  FROM_DISK = 73,
  FROM_PREPARED = 74,
  FROM_OUT_OF_MEMORY = 75,
  FROM_HELD = 76,
  FROM_FILE_DONE = 80,
  FROM_FILE_DATA = 81,
  FROM_STREAM_OPENED = 82,
  FROM_STREAM_DATA = 83,
  FROM_STREAM_END = 84,
  FROM_STREAM_WINDOW = 85,
  FROM_STREAM_RESET = 86,
};

/* First byte of FROM_FAILED and FROM_STREAM_RESET. */
enum failure {
  /* Of a program. */
  FAILED_NOT_FOUND = 0,
  FAILED_REFUSED = 1,
  /* Of a file. */
  FAILED_MISSING = 2,
  FAILED_EXISTS = 3,
  FAILED_OTHER_TYPE = 4,
  FAILED_FULL = 5,
  FAILED_DENIED = 6,
  /* Not done, for one before it in its chain has failed. */
  FAILED_SKIPPED = 7,
  /* It is not what was expected. */
  FAILED_CHANGED = 8,
};

/* First byte of TO_FILE and of FROM_FILE_DONE. */
enum file_op {
  FILE_WRITE = 1,
  FILE_READ = 2,
  FILE_MAKE_DIRECTORY = 3,
  FILE_COPY = 4,
  FILE_MOVE = 5,
  FILE_REMOVE = 6,
  FILE_LIST = 7,
  FILE_CLEAR = 8,
  FILE_STAT = 9,
  FILE_OPEN_READ = 10,
  FILE_OPEN_WRITE = 11,
  FILE_RANGE = 12,
  FILE_BEGIN = 13,
  FILE_COMMIT = 14,
  FILE_ROLL_BACK = 15,
  FILE_LINK = 16,
};

/* Of an entry in a listing. */
enum file_type { TYPE_FILE = 0, TYPE_DIRECTORY = 1, TYPE_SYMLINK = 2, TYPE_OTHER = 3 };

#endif
