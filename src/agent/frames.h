/*
 * Frames in both directions (protocol.h), and the fields of their payloads: numbers are little endian, a text is its length as
 * u32 and its bytes.
 */
#ifndef FRAMES_H
#define FRAMES_H

#include "memory.h"

/* What is left of a payload. Reading past its end marks it as broken and gives zeros. */
struct fields {
  const uint8_t *at;
  size_t left;
  bool broken;
};

uint8_t take_u8(struct fields *f);
uint32_t take_u32(struct fields *f);
uint64_t take_u64(struct fields *f);
/* Points into the payload; not terminated. */
const uint8_t *take_text(struct fields *f, size_t *length);
/* A copy that is the caller's to free; NULL where the text holds a NUL, which no name in a system call can. */
char *take_name(struct fields *f);
/* Ends the process unless all of the payload was read, and no more. */
void take_end(const struct fields *f);

struct frame {
  uint8_t kind;
  uint32_t channel;
  struct fields payload;
};

/* Cuts what has arrived into frames; `on_frame` may keep nothing of one. */
struct decoder {
  struct buffer held;
};

/* Reads once from a descriptor. False at its end; nothing happens where there is nothing to read yet. */
bool decoder_read(struct decoder *d, int fd, void (*on_frame)(struct frame *));

/* What waits to be written, in order: one system call for all frames of a turn. */
struct outbox {
  int fd;
  struct buffer waiting;
};

bool outbox_full(const struct outbox *o);
/* A place for at most so many bytes of payload; nothing is sent before `outbox_commit`. */
uint8_t *outbox_place(struct outbox *o, size_t most);
/* Sends the frame whose payload was put into the last place. */
void outbox_commit(struct outbox *o, uint8_t kind, uint32_t channel, size_t bytes);
void outbox_send(struct outbox *o, uint8_t kind, uint32_t channel, const void *payload, size_t bytes);
void outbox_send_u32(struct outbox *o, uint8_t kind, uint32_t channel, uint32_t value);
/* Writes what the stream takes; false when the other side is gone. */
bool outbox_write(struct outbox *o);
/* The same; ends the process then. */
void outbox_flush(struct outbox *o);

uint8_t *put_u8(uint8_t *at, uint8_t value);
uint8_t *put_u32(uint8_t *at, uint32_t value);
uint8_t *put_u64(uint8_t *at, uint64_t value);
uint8_t *put_text(uint8_t *at, const char *text, size_t length);

#endif
