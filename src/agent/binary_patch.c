#include "binary_patch.h"

#include <string.h>

#include "zlib.h"

enum { LINE_BYTES = 52, GROUP = 4, DIGITS = 5, BASE = 85 };

static const char ALPHABET[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

static bool write_line(struct out *o, const uint8_t *bytes, size_t length) {
  char line[1 + LINE_BYTES / GROUP * DIGITS + 1], *at = line;
  *at++ = (char)(length <= 26 ? 'A' + length - 1 : 'a' + length - 27);
  for (size_t i = 0; i < length; i += GROUP) {
    uint32_t value = 0;
    for (size_t k = i; k < i + GROUP; k++) value = value << 8 | (k < length ? bytes[k] : 0);
    for (int digit = DIGITS - 1; digit >= 0; digit--, value /= BASE) at[digit] = ALPHABET[value % BASE];
    at += DIGITS;
  }
  *at++ = '\n';
  return out_bytes(o, line, (size_t)(at - line));
}

bool literal_write(struct out *o, struct bytes content) {
  struct buffer packed = {0};
  zlib_deflate(content, &packed);
  bool wrote = out_format(o, "literal %zu\n", content.length);
  for (size_t at = 0, length = buffer_length(&packed); wrote && at < length; at += LINE_BYTES)
    wrote = write_line(o, packed.data + at, MIN(length - at, (size_t)LINE_BYTES));
  buffer_free(&packed);
  return wrote && out_text(o, "\n");
}

static bool take_group(const uint8_t *digits, uint32_t *group) {
  uint64_t value = 0;
  for (int i = 0; i < DIGITS; i++) {
    const char *found = digits[i] ? strchr(ALPHABET, digits[i]) : NULL;
    if (!found) return false;
    value = value * BASE + (uint64_t)(found - ALPHABET);
  }
  *group = (uint32_t)value;
  return value <= UINT32_MAX;
}

bool base85_line(struct bytes line, struct buffer *to) {
  uint8_t first = line.length ? line.at[0] : 0;
  size_t length = first >= 'A' && first <= 'Z' ? first - 'A' + 1u : first >= 'a' && first <= 'z' ? first - 'a' + 27u : 0;
  if (length == 0 || line.length != 1 + (length + GROUP - 1) / GROUP * DIGITS) return false;
  for (size_t at = 1; at < line.length; at += DIGITS, length -= MIN(length, (size_t)GROUP)) {
    uint32_t group;
    if (!take_group(line.at + at, &group)) return false;
    uint8_t bytes[GROUP] = {(uint8_t)(group >> 24), (uint8_t)(group >> 16), (uint8_t)(group >> 8), (uint8_t)group};
    buffer_append(to, bytes, MIN(length, (size_t)GROUP));
  }
  return true;
}
