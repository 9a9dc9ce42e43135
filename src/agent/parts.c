#define _GNU_SOURCE
#include "parts.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "memory.h"

enum { COPY_BYTES = 256 * 1024 };

bool part_next(int fd, uint64_t at, uint64_t size, struct part *part) {
  if (at >= size) return false;
  off_t from = lseek(fd, (off_t)at, SEEK_DATA);
  if (from < 0 && errno == ENXIO) return false;
  off_t to = from < 0 ? -1 : lseek(fd, from, SEEK_HOLE);
  *part = (struct part){.from = from < 0 ? at : (uint64_t)from, .to = to < 0 ? size : MIN((uint64_t)to, size)};
  return part->from < size;
}

bool write_at(int fd, const uint8_t *bytes, size_t length, uint64_t at) {
  while (length > 0) {
    ssize_t wrote = pwrite(fd, bytes, length, (off_t)at);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    bytes += wrote;
    length -= (size_t)wrote;
    at += (uint64_t)wrote;
  }
  return true;
}

static bool copy_by_hand(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t length) {
  static uint8_t buffer[COPY_BYTES];
  while (length > 0) {
    ssize_t got = pread(from, buffer, (size_t)MIN(length, (uint64_t)COPY_BYTES), (off_t)from_at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got == 0;
    if (!write_at(to, buffer, (size_t)got, to_at)) return false;
    from_at += (uint64_t)got;
    to_at += (uint64_t)got;
    length -= (uint64_t)got;
  }
  return true;
}

bool part_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t length) {
  while (length > 0) {
    off_t source = (off_t)from_at, target = (off_t)to_at;
    ssize_t copied = copy_file_range(from, &source, to, &target, (size_t)length, 0);
    if (copied < 0 && errno == EINTR) continue;
    if (copied < 0 && errno == ENOSPC) return false;
    /* Kernels and disks that can't do it, and what only looks like an end. */
    if (copied <= 0) return copy_by_hand(from, from_at, to, to_at, length);
    from_at += (uint64_t)copied;
    to_at += (uint64_t)copied;
    length -= (uint64_t)copied;
  }
  return true;
}

bool parts_copy(int from, int to, uint64_t size) {
  if (ftruncate(to, (off_t)size) < 0) return false;
  for (struct part part = {0}; part_next(from, part.to, size, &part);)
    if (!part_copy(from, part.from, to, part.from, part.to - part.from)) return false;
  return true;
}
