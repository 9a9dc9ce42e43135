#include <stdlib.h>
#include <string.h>

#include "zlib.h"
#include "zlib_tables.h"

/* RFC 1951, 3.2.7. */
enum { MAX_BITS = 15, LITERALS = 288, ALL_CODES = LITERALS + 32, LENGTHS_CODES = 19 };

struct stream {
  struct bytes in;
  size_t at;
  uint32_t bit;
  bool broken;
  uint8_t *out;
  size_t length, filled;
};

/* A canonical code: how many symbols have each length, and the symbols by length. */
struct code {
  uint16_t counts[MAX_BITS + 1], symbols[LITERALS];
};

static uint32_t take_bit(struct stream *s) {
  if (s->at >= s->in.length) {
    s->broken = true;
    return 0;
  }
  uint32_t bit = s->in.at[s->at] >> s->bit & 1;
  if (++s->bit == 8) s->bit = 0, s->at++;
  return bit;
}

static uint32_t take(struct stream *s, unsigned count) {
  uint32_t value = 0;
  for (unsigned i = 0; i < count; i++) value |= take_bit(s) << i;
  return value;
}

/* Whether there are no more codes of each length than there can be. */
static bool make_code(struct code *c, const uint8_t *lengths, uint32_t count) {
  uint16_t offsets[MAX_BITS + 2] = {0};
  memset(c->counts, 0, sizeof c->counts);
  for (uint32_t i = 0; i < count; i++) c->counts[lengths[i]]++;
  c->counts[0] = 0;
  int32_t left = 1;
  for (int i = 1; i <= MAX_BITS; i++) {
    left = 2 * left - c->counts[i];
    if (left < 0) return false;
    offsets[i + 1] = (uint16_t)(offsets[i] + c->counts[i]);
  }
  for (uint32_t i = 0; i < count; i++)
    if (lengths[i]) c->symbols[offsets[lengths[i]]++] = (uint16_t)i;
  return true;
}

static uint32_t take_symbol(struct stream *s, const struct code *c) {
  int32_t code = 0, first = 0, index = 0;
  for (int length = 1; length <= MAX_BITS && !s->broken; length++) {
    code |= (int32_t)take_bit(s);
    int32_t count = c->counts[length];
    if (code - count < first) return c->symbols[index + (code - first)];
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  s->broken = true;
  return 0;
}

static void put(struct stream *s, uint8_t byte) {
  if (s->filled < s->length) s->out[s->filled++] = byte;
  else s->broken = true;
}

static void copy(struct stream *s, uint32_t length, const struct code *distances) {
  uint32_t symbol = take_symbol(s, distances);
  if (symbol >= DISTANCE_CODES) s->broken = true;
  if (s->broken) return;
  size_t distance = DISTANCE_BASE[symbol] + take(s, DISTANCE_EXTRA[symbol]);
  if (distance > s->filled) s->broken = true;
  for (uint32_t i = 0; i < length && !s->broken; i++) put(s, s->out[s->filled - distance]);
}

static void take_coded(struct stream *s, const struct code *literals, const struct code *distances) {
  while (!s->broken) {
    uint32_t symbol = take_symbol(s, literals);
    if (symbol == END_OF_BLOCK) return;
    if (symbol < END_OF_BLOCK) put(s, (uint8_t)symbol);
    else if (symbol - FIRST_LENGTH < LENGTH_CODES)
      copy(s, LENGTH_BASE[symbol - FIRST_LENGTH] + take(s, LENGTH_EXTRA[symbol - FIRST_LENGTH]), distances);
    else s->broken = true;
  }
}

static void take_stored(struct stream *s) {
  if (s->bit) s->bit = 0, s->at++;
  uint32_t length = take(s, 16), turned = take(s, 16);
  if (s->broken || length != (turned ^ 0xffff) || s->in.length - s->at < length) s->broken = true;
  for (uint32_t i = 0; i < length && !s->broken; i++) put(s, s->in.at[s->at++]);
}

static void take_fixed(struct stream *s) {
  struct code literals, distances;
  uint8_t lengths[LITERALS];
  for (int i = 0; i < LITERALS; i++) lengths[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
  make_code(&literals, lengths, LITERALS);
  memset(lengths, 5, DISTANCE_CODES);
  make_code(&distances, lengths, DISTANCE_CODES);
  take_coded(s, &literals, &distances);
}

/* Lengths of codes, themselves coded: 16 repeats the last one, 17 and 18 are zeros. */
static void take_lengths(struct stream *s, const struct code *code, uint8_t *lengths, uint32_t count) {
  for (uint32_t i = 0; i < count && !s->broken;) {
    uint32_t symbol = take_symbol(s, code);
    if (symbol < 16) {
      lengths[i++] = (uint8_t)symbol;
      continue;
    }
    if (symbol == 16 && i == 0) s->broken = true;
    uint8_t repeated = symbol == 16 && i > 0 ? lengths[i - 1] : 0;
    uint32_t times = symbol == 16 ? 3 + take(s, 2) : symbol == 17 ? 3 + take(s, 3) : 11 + take(s, 7);
    if (times > count - i) s->broken = true;
    for (; times > 0 && !s->broken; times--) lengths[i++] = repeated;
  }
}

static void take_dynamic(struct stream *s) {
  static const uint8_t ORDER[LENGTHS_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  uint8_t lengths[ALL_CODES] = {0};
  struct code code, distances;
  uint32_t literal_count = take(s, 5) + 257, distance_count = take(s, 5) + 1, length_count = take(s, 4) + 4;
  for (uint32_t i = 0; i < length_count; i++) lengths[ORDER[i]] = (uint8_t)take(s, 3);
  if (literal_count > LITERALS || !make_code(&code, lengths, LENGTHS_CODES)) s->broken = true;
  if (s->broken) return;
  memset(lengths, 0, sizeof lengths);
  take_lengths(s, &code, lengths, literal_count + distance_count);
  if (s->broken || !make_code(&code, lengths, literal_count) || !make_code(&distances, lengths + literal_count, distance_count)) {
    s->broken = true;
    return;
  }
  take_coded(s, &code, &distances);
}

static void take_block(struct stream *s) {
  uint32_t kind = take(s, 2);
  if (kind == 0) take_stored(s);
  else if (kind == 1) take_fixed(s);
  else if (kind == 2) take_dynamic(s);
  else s->broken = true;
}

static bool header_fits(struct bytes in) {
  return in.length >= 6 && (in.at[0] & 15) == 8 && (in.at[0] << 8 | in.at[1]) % 31 == 0 && (in.at[1] & 0x20) == 0;
}

uint8_t *zlib_inflate(struct bytes stream, size_t length) {
  if (!header_fits(stream)) return NULL;
  struct stream s = {.in = stream, .at = 2, .out = allocate(length), .length = length};
  bool last = false;
  while (!last && !s.broken) {
    last = take_bit(&s);
    take_block(&s);
  }
  if (s.bit) s.at++;
  if (!s.broken && s.filled == length && stream.length - s.at >= 4) {
    const uint8_t *sum = stream.at + s.at;
    uint32_t expected = (uint32_t)sum[0] << 24 | (uint32_t)sum[1] << 16 | (uint32_t)sum[2] << 8 | sum[3];
    if (expected == adler32(s.out, length)) return s.out;
  }
  free(s.out);
  return NULL;
}
