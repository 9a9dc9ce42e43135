#define _GNU_SOURCE
#include "entry_metadata.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "memory.h"
#include "refusal.h"

static const char PREFIX[] = "user.e2b.";
/* Names and values of a file, each with its NUL; the kernel has at most that much of names (xattr(7)). */
enum { PREFIX_BYTES = sizeof PREFIX - 1, MAX_NAMES = 64 * 1024, MAX_VALUE = 4096 };

static bool is_printable(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (text[i] < 0x20 || text[i] > 0x7e) return false;
  return true;
}

/* The value of one that is ours, ended by a NUL; false for any other. */
static bool value_of(int fd, const char *name, char value[MAX_VALUE + 1]) {
  if (strncmp(name, PREFIX, PREFIX_BYTES) != 0 || !is_printable(name, strlen(name))) return false;
  ssize_t length = fgetxattr(fd, name, value, MAX_VALUE);
  if (length < 0 || !is_printable(value, (size_t)length)) return false;
  value[length] = 0;
  return true;
}

bool metadata_write(struct out *o, int fd) {
  char *names = allocate(MAX_NAMES);
  ssize_t length = fd < 0 ? 0 : flistxattr(fd, names, MAX_NAMES);
  size_t end = length < 0 ? 0 : (size_t)length, count = 0;
  char value[MAX_VALUE + 1];
  for (size_t at = 0; at < end; at += strlen(names + at) + 1) count += value_of(fd, names + at, value);
  bool wrote = out_format(o, "%zu", count) && out_bytes(o, "", 1);
  for (size_t at = 0; wrote && at < end && count > 0; at += strlen(names + at) + 1) {
    if (!value_of(fd, names + at, value)) continue;
    count--;
    wrote = out_bytes(o, names + at + PREFIX_BYTES, strlen(names + at + PREFIX_BYTES) + 1) && out_bytes(o, value, strlen(value) + 1);
  }
  /* Another program has taken some away meanwhile. */
  while (wrote && count-- > 0) wrote = out_bytes(o, "\0", 2);
  free(names);
  return wrote;
}

static bool clear(int fd, const char *path) {
  char *names = allocate(MAX_NAMES);
  ssize_t length = flistxattr(fd, names, MAX_NAMES);
  bool cleared = length >= 0 || errno == ENOTSUP || refuse_call(errno, path);
  for (ssize_t at = 0; cleared && at < length; at += (ssize_t)strlen(names + at) + 1)
    if (strncmp(names + at, PREFIX, PREFIX_BYTES) == 0 && fremovexattr(fd, names + at) < 0 && errno != ENODATA)
      cleared = refuse_call(errno, path);
  free(names);
  return cleared;
}

bool metadata_set(int fd, const char *path, struct bytes pairs) {
  if (!clear(fd, path)) return false;
  const char *at = (const char *)pairs.at, *end = at + pairs.length;
  while (at < end) {
    const char *name = at, *value = memchr(at, 0, (size_t)(end - at));
    const char *last = value ? memchr(value + 1, 0, (size_t)(end - value - 1)) : NULL;
    if (!last) return refuse("Metadata without an end");
    char full[256];
    if ((size_t)(value - name) >= sizeof full - PREFIX_BYTES) return refuse("A name of metadata is too long");
    memcpy(full, PREFIX, PREFIX_BYTES);
    memcpy(full + PREFIX_BYTES, name, (size_t)(value - name) + 1);
    value++;
    if (fsetxattr(fd, full, value, (size_t)(last - value), 0) < 0) {
      if (errno == ENOTSUP) return refuse("This kernel keeps no metadata of files");
      return refuse_call(errno, path);
    }
    at = last + 1;
  }
  return true;
}
