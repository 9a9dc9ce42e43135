#define _GNU_SOURCE
#include "frames.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "protocol.h"

enum { READ_BYTES = 256 * 1024, HIGH_WATER_BYTES = 128 * 1024 };

static const uint8_t *take(struct fields *f, size_t bytes) {
  static const uint8_t zeros[8];
  if (f->broken || f->left < bytes) {
    f->broken = true;
    return zeros;
  }
  const uint8_t *at = f->at;
  f->at += bytes;
  f->left -= bytes;
  return at;
}

static uint32_t get_u32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint8_t take_u8(struct fields *f) { return *take(f, 1); }

uint32_t take_u32(struct fields *f) { return get_u32(take(f, 4)); }

uint64_t take_u64(struct fields *f) {
  const uint8_t *at = take(f, 8);
  return get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
}

const uint8_t *take_text(struct fields *f, size_t *length) {
  size_t bytes = take_u32(f);
  if (f->left < bytes) f->broken = true;
  *length = f->broken ? 0 : bytes;
  const uint8_t *at = f->at;
  f->at += *length;
  f->left -= *length;
  return at;
}

char *take_name(struct fields *f) {
  size_t length;
  const uint8_t *bytes = take_text(f, &length);
  if (length && memchr(bytes, 0, length)) return NULL;
  char *name = allocate(length + 1);
  if (length) memcpy(name, bytes, length);
  name[length] = 0;
  return name;
}

void take_end(const struct fields *f) {
  if (f->broken || f->left > 0) die("a malformed payload");
}

bool decoder_read(struct decoder *d, int fd, void (*on_frame)(struct frame *)) {
  struct buffer *held = &d->held;
  ssize_t got = read(fd, buffer_reserve(held, READ_BYTES), READ_BYTES);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  held->to += (size_t)got;
  while (buffer_length(held) >= LENGTH_BYTES) {
    const uint8_t *at = held->data + held->from;
    size_t length = get_u32(at);
    if (length < HEADER_BYTES - LENGTH_BYTES || length > MAX_FRAME_BYTES) die("a frame of %zu bytes", length);
    if (buffer_length(held) < LENGTH_BYTES + length) break;
    struct frame frame = {
        .kind = at[4],
        .channel = get_u32(at + 5),
        .payload = {.at = at + HEADER_BYTES, .left = length + LENGTH_BYTES - HEADER_BYTES},
    };
    on_frame(&frame);
    if (held->wipes) explicit_bzero(held->data + held->from, LENGTH_BYTES + length);
    buffer_consume(held, LENGTH_BYTES + length);
  }
  return true;
}

bool outbox_full(const struct outbox *o) { return buffer_length(&o->waiting) > HIGH_WATER_BYTES; }

uint8_t *outbox_place(struct outbox *o, size_t most) {
  return buffer_reserve(&o->waiting, HEADER_BYTES + most) + HEADER_BYTES;
}

void outbox_commit(struct outbox *o, uint8_t kind, uint32_t channel, size_t bytes) {
  uint8_t *at = o->waiting.data + o->waiting.to;
  at = put_u32(at, (uint32_t)(HEADER_BYTES - LENGTH_BYTES + bytes));
  at = put_u8(at, kind);
  put_u32(at, channel);
  o->waiting.to += HEADER_BYTES + bytes;
}

void outbox_send(struct outbox *o, uint8_t kind, uint32_t channel, const void *payload, size_t bytes) {
  uint8_t *place = outbox_place(o, bytes);
  if (bytes) memcpy(place, payload, bytes);
  outbox_commit(o, kind, channel, bytes);
}

void outbox_send_u32(struct outbox *o, uint8_t kind, uint32_t channel, uint32_t value) {
  put_u32(outbox_place(o, 4), value);
  outbox_commit(o, kind, channel, 4);
}

bool outbox_write(struct outbox *o) {
  while (buffer_length(&o->waiting) > 0) {
    ssize_t wrote = write(o->fd, o->waiting.data + o->waiting.from, buffer_length(&o->waiting));
    if (wrote >= 0) buffer_consume(&o->waiting, (size_t)wrote);
    else if (errno == EAGAIN) return true;
    else if (errno != EINTR) return false;
  }
  return true;
}

void outbox_flush(struct outbox *o) {
  if (!outbox_write(o)) die("the service is gone");
}

uint8_t *put_u8(uint8_t *at, uint8_t value) {
  *at = value;
  return at + 1;
}

uint8_t *put_u32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
  return at + 4;
}

uint8_t *put_u64(uint8_t *at, uint64_t value) {
  return put_u32(put_u32(at, (uint32_t)value), (uint32_t)(value >> 32));
}

uint8_t *put_text(uint8_t *at, const char *text, size_t length) {
  at = put_u32(at, (uint32_t)length);
  if (length) memcpy(at, text, length);
  return at + length;
}
