/* What one path names, without following it when it is a link itself. */
#ifndef DETAILS_H
#define DETAILS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "directories.h"

struct details {
  struct entry entry;
  /* The twelve bits of chmod(2). */
  uint32_t mode;
  /* Where a link points, as it is written there; empty for what is none. */
  char target[PATH_MAX];
};

/* False when refused. */
bool details_read(const char *path, struct details *details);

#endif
