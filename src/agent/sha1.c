#include "sha1.h"

#include <stdio.h>
#include <string.h>

enum { BLOCK = 64 };

struct sha1 {
  uint32_t state[5];
  uint8_t block[BLOCK];
  size_t held;
  uint64_t length;
};

static uint32_t rotate(uint32_t x, int by) { return x << by | x >> (32 - by); }

static void take_block(uint32_t state[5], const uint8_t *block) {
  uint32_t w[80];
  for (int i = 0; i < 16; i++)
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
  for (int i = 16; i < 80; i++) w[i] = rotate(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  for (int i = 0; i < 80; i++) {
    uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
    uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
    uint32_t next = rotate(a, 5) + f + e + k + w[i];
    e = d, d = c, c = rotate(b, 30), b = a, a = next;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

static void take(struct sha1 *s, const void *bytes, size_t length) {
  const uint8_t *at = bytes;
  s->length += length;
  while (length > 0) {
    if (s->held == 0 && length >= BLOCK) {
      take_block(s->state, at);
      at += BLOCK;
      length -= BLOCK;
      continue;
    }
    size_t part = BLOCK - s->held < length ? BLOCK - s->held : length;
    memcpy(s->block + s->held, at, part);
    s->held += part;
    at += part;
    length -= part;
    if (s->held < BLOCK) continue;
    take_block(s->state, s->block);
    s->held = 0;
  }
}

void blob_name(struct bytes content, char name[BLOB_NAME]) {
  struct sha1 s = {.state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}};
  char header[32];
  int header_length = snprintf(header, sizeof header, "blob %zu", content.length);
  take(&s, header, (size_t)header_length + 1);
  take(&s, content.at, content.length);
  uint64_t bits = s.length * 8;
  static const uint8_t padding[BLOCK] = {0x80};
  take(&s, padding, s.held < 56 ? 56 - s.held : 120 - s.held);
  uint8_t end[8];
  for (int i = 0; i < 8; i++) end[i] = (uint8_t)(bits >> (56 - 8 * i));
  take(&s, end, sizeof end);
  for (int i = 0; i < 5; i++) snprintf(name + 8 * i, 9, "%08x", s.state[i]);
}
