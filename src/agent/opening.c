#define _GNU_SOURCE
#include "opening.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

enum { MODE_BITS = 07777 };

int open_anyway(int dir, const char *name, int flags, mode_t needed) {
  int fd = openat(dir, name, flags | SAFE);
  struct stat status;
  if (fd >= 0 || errno != EACCES || fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return fd;
  if (fchmodat(dir, name, (status.st_mode & MODE_BITS) | needed, 0) < 0) return -1;
  fd = openat(dir, name, flags | SAFE);
  int error = errno;
  if (fchmodat(dir, name, status.st_mode & MODE_BITS, 0) < 0 && fd >= 0) {
    error = errno;
    close(fd);
    fd = -1;
  }
  errno = error;
  return fd;
}

int open_below(int root, const char *path) {
  int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  char part[NAME_MAX + 1];
  while (dir >= 0 && *path) {
    size_t length = strcspn(path, "/");
    snprintf(part, sizeof part, "%.*s", (int)length, path);
    int next = openat(dir, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error = errno;
    close(dir);
    errno = error;
    dir = next;
    path += length + (path[length] == '/');
  }
  return dir;
}
