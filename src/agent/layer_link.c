#define _GNU_SOURCE
#include "layer_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "refusal.h"

static const char BESIDE[] = ".new";

static bool point(int dir, const char *name, const char *target) {
  /* One that a program has put there. */
  if (unlinkat(dir, BESIDE, 0) < 0 && errno != ENOENT) return refuse_call(errno, BESIDE);
  if (symlinkat(target, dir, BESIDE) < 0) return refuse_call(errno, name);
  if (renameat(dir, BESIDE, dir, name) == 0) return true;
  int error = errno;
  unlinkat(dir, BESIDE, 0);
  return refuse_call(error, name);
}

bool layer_link(char *path, const char *target) {
  char *slash = strrchr(path, '/');
  if (!slash || slash == path) return refuse_call(ENOENT, path);
  *slash = 0;
  if (mkdir(path, 0755) < 0 && errno != EEXIST) return refuse_call(errno, path);
  int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (dir < 0) return refuse_call(errno, path);
  bool done = point(dir, slash + 1, target);
  close(dir);
  return done;
}
