#define _GNU_SOURCE
#include "details.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "place.h"
#include "refusal.h"

enum { MODE_BITS = 07777 };

/* Everything from one descriptor: what has the name may be another thing a moment later. */
static bool read_open(int fd, const char *path, struct details *details) {
  struct stat status;
  if (fstat(fd, &status) < 0 || entry_read(fd, "", &details->entry) < 0) return refuse_call(errno, path);
  details->mode = status.st_mode & MODE_BITS;
  details->target[0] = 0;
  if (!S_ISLNK(status.st_mode)) return true;
  ssize_t length = readlinkat(fd, "", details->target, sizeof details->target - 1);
  if (length < 0) return refuse_call(errno, path);
  details->target[length] = 0;
  return true;
}

bool details_read(const char *path, struct details *details) {
  struct place place;
  bool found = place_find(&place, path, false, false);
  if (found) {
    int fd = openat(place.dir, place.name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    found = fd < 0 ? refuse_call(errno, path) : read_open(fd, path, details);
    if (fd >= 0) close(fd);
  }
  place_close(&place);
  return found;
}
