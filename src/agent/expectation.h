/* What must have a name for something to be done with it: a client's guard against what others have changed meanwhile. */
#ifndef EXPECTATION_H
#define EXPECTATION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "frames.h"

enum { MAX_VERSIONS = 16 };

struct expectation {
  enum { EXPECTS_WHATEVER = 0, EXPECTS_NOTHING = 1, EXPECTS_SOMETHING = 2, EXPECTS_VERSIONS = 3 } kind;
  uint8_t count;
  /* As file_streams.c tells them. */
  struct {
    uint64_t inode, changed_at;
  } versions[MAX_VERSIONS];
};

/* `u8 kind, u8 count`, and of each version `u64 inode, u64 changed_at`. */
struct expectation expectation_take(struct fields *f);
/* Whether it is so: false when refused. `path` is for the refusal. */
bool expectation_met(const struct expectation *e, int dir, const char *name, const char *path);
/* When an inode was changed last, nanoseconds. */
uint64_t changed_at(const struct stat *status);

#endif
