#define _GNU_SOURCE
#include "copying.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "parts.h"
#include "refusal.h"
#include "replacement.h"

enum { COPY_BYTES = 256 * 1024 };

/* For all parts; false with an error number. */
static bool reserve(int source, const struct replacement *target, uint64_t size) {
  struct part part = {0};
  while (part_next(source, part.to, size, &part))
    if (!replacement_reserve_part(target, part.from, part.to - part.from)) return false;
  return true;
}

/* What lies in the target where the source has a hole. */
static bool punch(const struct replacement *target, uint64_t from, uint64_t to) {
  if (target->beside[0] || from >= to) return true;
  const int flags = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return fallocate(target->fd, flags, (off_t)from, (off_t)(to - from)) == 0 || refuse_call(errno, target->path);
}

static bool copy_part(int source, struct replacement *target, struct part part) {
  static uint8_t buffer[COPY_BYTES];
  if (lseek(target->fd, (off_t)part.from, SEEK_SET) < 0) return refuse_call(errno, target->path);
  for (uint64_t at = part.from; at < part.to;) {
    ssize_t got = pread(source, buffer, (size_t)MIN(part.to - at, (uint64_t)COPY_BYTES), (off_t)at);
    if (got < 0) return refuse_call(errno, target->path);
    /* It was shortened meanwhile. */
    if (got == 0) return true;
    if (!replacement_write(target, buffer, (size_t)got)) return false;
    at += (uint64_t)got;
  }
  return true;
}

static bool copy_parts(int source, struct replacement *target, uint64_t size) {
  struct part part = {0};
  uint64_t end = 0;
  for (; part_next(source, end, size, &part); end = part.to)
    if (!punch(target, end, part.from) || !copy_part(source, target, part)) return false;
  return punch(target, end, size);
}

static bool copy_to(int source, struct replacement *target, uint64_t size) {
  bool room;
  while (!(room = reserve(source, target, size)) && errno == ENOSPC && replacement_go_in_place(target)) continue;
  if (!room) refuse_call(errno, target->path);
  if (room && copy_parts(source, target, size)) return replacement_finish(target, size);
  replacement_drop(target);
  return false;
}

bool copy_file(const char *from, const char *to, bool overwrite, uint64_t *bytes) {
  int source = files_open(from);
  if (source < 0) return false;
  struct replacement target;
  struct stat a, b;
  bool copied = fstat(source, &a) == 0 || refuse_call(errno, from);
  if (copied) copied = replacement_open(&target, to, overwrite, false);
  if (copied) {
    *bytes = (uint64_t)a.st_size;
    bool itself = target.old >= 0 && fstat(target.old, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
    if (itself) replacement_drop(&target);
    else copied = copy_to(source, &target, (uint64_t)a.st_size);
  }
  close(source);
  return copied;
}
