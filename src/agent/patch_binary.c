#include "patch_binary.h"

#include <stdlib.h>
#include <string.h>

#include "binary_patch.h"
#include "memory.h"
#include "refusal.h"
#include "zlib.h"

/* No stream of deflate is that much shorter than what it stands for. */
enum { MAX_RATIO = 1040, SLACK = 64 };

static bool broken(void) { return refuse("its binary patch is broken"); }

static uint8_t *unpack(const struct binary *b) {
  struct buffer packed = {0};
  bool ok = true;
  for (size_t at = 0; ok && at < b->lines.length;) {
    const uint8_t *start = b->lines.at + at, *newline = memchr(start, '\n', b->lines.length - at);
    size_t length = newline ? (size_t)(newline - start) : b->lines.length - at;
    at += length + 1;
    if (length && start[length - 1] == '\r') length--;
    ok = base85_line((struct bytes){start, length}, &packed);
  }
  size_t packed_length = buffer_length(&packed);
  ok = ok && packed_length > 0 && b->length / MAX_RATIO <= packed_length + SLACK;
  uint8_t *content = ok ? zlib_inflate((struct bytes){packed.data, packed_length}, b->length) : NULL;
  buffer_free(&packed);
  return content;
}

/* A number in groups of seven bits, the lowest first. */
static bool take_size(struct bytes *d, uint64_t *size) {
  *size = 0;
  for (unsigned shift = 0; d->length && shift < 63; shift += 7) {
    uint8_t byte = *d->at;
    *d = (struct bytes){d->at + 1, d->length - 1};
    *size |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) return true;
  }
  return false;
}

/* The bytes that a bit of the command says are there, the lowest first. */
static bool take_parts(struct bytes *d, unsigned bits, unsigned count, uint32_t *number) {
  *number = 0;
  for (unsigned i = 0; i < count; i++) {
    if (!(bits >> i & 1)) continue;
    if (!d->length) return false;
    *number |= (uint32_t)*d->at << 8 * i;
    *d = (struct bytes){d->at + 1, d->length - 1};
  }
  return true;
}

/* git’s delta (Documentation/gitformat-pack): copies of what was before, and new bytes. */
static bool apply_delta(struct bytes d, struct bytes before, struct bytes *after) {
  uint64_t from, to;
  if (!take_size(&d, &from) || !take_size(&d, &to) || from != before.length || to > MAX_TEXT_BYTES) return false;
  uint8_t *content = allocate((size_t)to);
  size_t length = 0;
  bool ok = true;
  while (ok && d.length) {
    uint8_t command = *d.at;
    d = (struct bytes){d.at + 1, d.length - 1};
    uint32_t offset = 0, count = command;
    const uint8_t *source;
    if (command & 0x80) {
      ok = take_parts(&d, command, 4, &offset) && take_parts(&d, command >> 4 & 7, 3, &count);
      if (count == 0) count = 0x10000;
      ok = ok && offset <= before.length && count <= before.length - offset;
      source = before.at + offset;
    } else {
      ok = command != 0 && count <= d.length;
      source = d.at;
    }
    ok = ok && count <= to - length;
    if (!ok) break;
    memcpy(content + length, source, count);
    length += count;
    if (!(command & 0x80)) d = (struct bytes){d.at + count, d.length - count};
  }
  *after = (struct bytes){content, length};
  if (ok && length == to) return true;
  free(content);
  return false;
}

bool binary_apply(const struct binary *b, struct bytes before, struct bytes *after) {
  uint8_t *content = b->length <= MAX_TEXT_BYTES ? unpack(b) : NULL;
  if (!content) return broken();
  *after = (struct bytes){content, b->length};
  if (!b->is_delta) return true;
  bool ok = apply_delta(*after, before, after);
  free(content);
  return ok || refuse("its binary patch is for another content");
}
