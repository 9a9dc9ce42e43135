/* Lengths and distances of RFC 1951, 3.2.5. */
#ifndef ZLIB_TABLES_H
#define ZLIB_TABLES_H

#include <stdint.h>

enum { MAX_LENGTH = 258, MIN_LENGTH = 3, WINDOW = 32768, LENGTH_CODES = 29, DISTANCE_CODES = 30, END_OF_BLOCK = 256, FIRST_LENGTH = 257 };

static const uint16_t LENGTH_BASE[LENGTH_CODES] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t LENGTH_EXTRA[LENGTH_CODES] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
static const uint16_t DISTANCE_BASE[DISTANCE_CODES] = {1,   2,   3,   4,   5,   7,    9,    13,   17,   25,   33,   49,   65,    97,    129,
                                                       193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
static const uint8_t DISTANCE_EXTRA[DISTANCE_CODES] = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                       6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};

static inline uint32_t adler32(const uint8_t *bytes, uint64_t length) {
  uint32_t a = 1, b = 0;
  for (uint64_t i = 0; i < length; i++) {
    a = (a + bytes[i]) % 65521;
    b = (b + a) % 65521;
  }
  return b << 16 | a;
}

#endif
