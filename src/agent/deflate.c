#include <stdlib.h>
#include <string.h>

#include "zlib.h"
#include "zlib_tables.h"

enum { HASH_BITS = 15 };

struct bits {
  struct buffer *to;
  uint64_t waiting;
  unsigned count;
};

static void put_byte(struct buffer *b, uint8_t byte) {
  *buffer_reserve(b, 1) = byte;
  b->to++;
}

static void put(struct bits *s, uint32_t value, unsigned count) {
  s->waiting |= (uint64_t)value << s->count;
  for (s->count += count; s->count >= 8; s->count -= 8, s->waiting >>= 8) put_byte(s->to, (uint8_t)s->waiting);
}

/* Codes are sent from their highest bit on. */
static void put_code(struct bits *s, uint32_t code, unsigned count) {
  uint32_t turned = 0;
  for (unsigned i = 0; i < count; i++) turned |= (code >> i & 1) << (count - 1 - i);
  put(s, turned, count);
}

/* The fixed codes of RFC 1951, 3.2.6. */
static void put_symbol(struct bits *s, uint32_t symbol) {
  if (symbol < 144) put_code(s, 0x30 + symbol, 8);
  else if (symbol < 256) put_code(s, 0x190 + symbol - 144, 9);
  else if (symbol < 280) put_code(s, symbol - 256, 7);
  else put_code(s, 0xc0 + symbol - 280, 8);
}

static void put_copy(struct bits *s, uint32_t length, uint32_t distance) {
  uint32_t l = LENGTH_CODES - 1, d = DISTANCE_CODES - 1;
  while (LENGTH_BASE[l] > length) l--;
  while (DISTANCE_BASE[d] > distance) d--;
  put_symbol(s, FIRST_LENGTH + l);
  put(s, length - LENGTH_BASE[l], LENGTH_EXTRA[l]);
  put_code(s, d, 5);
  put(s, distance - DISTANCE_BASE[d], DISTANCE_EXTRA[d]);
}

static uint32_t hash(const uint8_t *at) {
  return ((uint32_t)at[0] << 16 | (uint32_t)at[1] << 8 | at[2]) * 2654435761u >> (32 - HASH_BITS);
}

static uint32_t common(const uint8_t *a, const uint8_t *b, size_t most) {
  uint32_t length = 0;
  while (length < most && a[length] == b[length]) length++;
  return length;
}

/* Copies what the last place with the same three bytes has in common, and looks no further back. */
static void put_content(struct bits *s, struct bytes c) {
  /* One more than the place. */
  size_t *last = allocate((1 << HASH_BITS) * sizeof *last);
  memset(last, 0, (1 << HASH_BITS) * sizeof *last);
  for (size_t at = 0; at < c.length;) {
    uint32_t length = 0;
    size_t from = 0;
    if (at + MIN_LENGTH <= c.length) {
      size_t *place = &last[hash(c.at + at)];
      from = *place;
      *place = at + 1;
      if (from && at - (from - 1) <= WINDOW) length = common(c.at + from - 1, c.at + at, MIN(c.length - at, (size_t)MAX_LENGTH));
    }
    if (length >= MIN_LENGTH) put_copy(s, length, (uint32_t)(at - (from - 1)));
    else put_symbol(s, c.at[at]);
    at += length >= MIN_LENGTH ? length : 1;
  }
  free(last);
}

void zlib_deflate(struct bytes content, struct buffer *to) {
  struct bits s = {.to = to};
  put_byte(to, 0x78);
  put_byte(to, 0x01);
  /* One block, the last, with fixed codes. */
  put(&s, 1, 1);
  put(&s, 1, 2);
  put_content(&s, content);
  put_symbol(&s, END_OF_BLOCK);
  if (s.count) put(&s, 0, 8 - s.count);
  uint32_t sum = adler32(content.at, content.length);
  for (int i = 24; i >= 0; i -= 8) put_byte(to, (uint8_t)(sum >> i));
}
