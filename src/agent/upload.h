/*
 * A file's new content of any size, which takes the old one's place whole or not at all. Until then it has no name, so that no program
 * can reach it and nothing of it is left when the agent ends; where a filesystem can't do that, it lies beside under a name of its own.
 * Appending is to the file itself, and is taken back.
 */
#ifndef UPLOAD_H
#define UPLOAD_H

#include <sys/stat.h>
#include <sys/types.h>

#include "expectation.h"
#include "replacement.h"

/* Mode of a file that is there: its own. Of another: as in `write`. */
enum { MODE_AS_IT_IS = -1 };

struct upload {
  char *path;
  /* Of what is appended. */
  struct replacement appended;
  bool appends;
  struct expectation expects;
  struct place place;
  int fd;
  /* The name beside; empty for none. */
  char beside[32];
};

/*
 * Follows links and makes parent directories. `size`: what will come, as far as is known; 0 else. What is
 * expected must be so now, and once more when it is put in its place. NULL when refused, and then nothing is left.
 */
struct upload *upload_open(const char *path, bool appends, uint64_t size, int mode, struct expectation expects);
bool upload_write(struct upload *u, const uint8_t *bytes, size_t length);
/* Puts it in its place, and frees it. `made`: nothing of that name was there. False when refused, and then all is as it was. */
bool upload_commit(struct upload *u, bool *made, struct stat *status);
/* Leaves what was there, and frees it. */
void upload_drop(struct upload *u);

#endif
