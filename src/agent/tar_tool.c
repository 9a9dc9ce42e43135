#define _GNU_SOURCE
#include "tar_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "memory.h"
#include "refusal.h"
#include "tar_format.h"
#include "tool.h"

enum { DIRECTORY_MODE = 0755 };

unsigned tar_checksum(const struct tar_header *h) {
  const uint8_t *bytes = (const uint8_t *)h;
  unsigned sum = 0;
  for (size_t i = 0; i < sizeof *h; i++) {
    size_t at = i - ((const uint8_t *)h->checksum - bytes);
    sum += at < sizeof h->checksum ? ' ' : bytes[i];
  }
  return sum;
}

/* Opens a directory without following a link; `makes`: and those above it. */
static int open_path(char *path, bool makes) {
  int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  for (char *part = strtok(path, "/"); dir >= 0 && part; part = strtok(NULL, "/")) {
    if (makes && mkdirat(dir, part, DIRECTORY_MODE) < 0 && errno != EEXIST) {
      refuse_call(errno, part);
      return -1;
    }
    int next = openat(dir, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0) refuse_call(errno == ELOOP ? ENOTDIR : errno, part);
    close(dir);
    dir = next;
  }
  return dir;
}

void run_tar(const char *operation, char *directory) {
  bool packs = strcmp(operation, "pack") == 0;
  if (!packs && strcmp(operation, "unpack") != 0) die("no such operation: %s", operation);
  int dir = open_path(path_in(directory), !packs);
  if (dir < 0 || !(packs ? tar_pack(dir) : tar_unpack(dir))) die("%d %s", refusal_reason, refusal);
  exit(0);
}
