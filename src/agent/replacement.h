/*
 * New content for a regular file, which takes the old one's place whole or not at all: it is written beside it, under a name of its
 * own, and renamed. The file itself is written where that can't be: when it has other names, when there is no room for both, when
 * its directory can't be written, or when something is appended. Room for all of it is reserved first then.
 */
#ifndef REPLACEMENT_H
#define REPLACEMENT_H

#include <sys/types.h>

#include "place.h"
#include "undo.h"

struct replacement {
  /* For sentences; the caller's. */
  const char *path;
  struct place place;
  struct undo_dir undo;
  /* What is written to. */
  int fd;
  /* The file that is there, and how long it was; -1 for none that can be written. */
  int old;
  uint64_t old_size, written;
  /* The new content's name while it lies beside; empty: in place. */
  char beside[32];
  bool appends, overwrites;
};

/* Follows links and makes parent directories. False when refused, and then nothing is left of it. */
bool replacement_open(struct replacement *r, const char *path, bool overwrites, bool appends);
/* Makes sure of room for `bytes`: all that will be written. False when refused; to be dropped then. */
bool replacement_reserve(struct replacement *r, uint64_t bytes);
/* The same for one part of the content, false with an error number; and what is left to try where there is no room beside. */
bool replacement_reserve_part(const struct replacement *r, uint64_t at, uint64_t bytes);
bool replacement_go_in_place(struct replacement *r);
bool replacement_write(struct replacement *r, const uint8_t *bytes, size_t length);
/* Puts it in its place; `size` is the whole content's. Closes it either way. */
bool replacement_finish(struct replacement *r, uint64_t size);
/* Leaves what was there, and closes. */
void replacement_drop(struct replacement *r);

#endif
