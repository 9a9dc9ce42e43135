#define _GNU_SOURCE
#include "layer_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "refusal.h"
#include "tool.h"

void run_layer(char *link, const char *target) {
  char *slash = strrchr(link, '/');
  if (!slash || slash == link) die("no path of a link: %s", link);
  *slash = 0;
  if (mkdir(link, 0755) < 0 && errno != EEXIST) tool_must(refuse_call(errno, link));
  int dir = open(link, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) tool_must(refuse_call(errno, link));
  const char *name = slash + 1;
  char beside[64];
  snprintf(beside, sizeof beside, ".%d", (int)getpid());
  if (symlinkat(target, dir, beside) < 0) tool_must(refuse_call(errno, name));
  if (renameat(dir, beside, dir, name) < 0) {
    int error = errno;
    unlinkat(dir, beside, 0);
    tool_must(refuse_call(error, name));
  }
  exit(0);
}
