#define _GNU_SOURCE
#include "export_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "frames.h"
#include "refusal.h"
#include "tool.h"

enum { MAX_DEPTH = 100, PIECE_BYTES = 256 * 1024, HEAD_BYTES = 1 + 4 + PATH_MAX + 4 + 8 };

static struct out out = {.fd = STDOUT_FILENO, .most = UINT64_MAX};
static char path[PATH_MAX];

static void write_head(enum export_type type, mode_t mode, uint64_t bytes) {
  uint8_t head[HEAD_BYTES];
  uint8_t *at = put_text(put_u8(head, (uint8_t)type), path, strlen(path));
  at = put_u64(put_u32(at, mode & 07777), bytes);
  tool_must(out_bytes(&out, head, (size_t)(at - head)));
}

static void write_file(int dir, const char *name, const struct stat *status) {
  static uint8_t piece[PIECE_BYTES];
  int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) tool_must(refuse_call(errno, path));
  uint64_t left = (uint64_t)status->st_size;
  write_head(EXPORT_FILE, status->st_mode, left);
  while (left > 0) {
    ssize_t got = read(fd, piece, MIN(left, sizeof piece));
    if (got < 0 && errno == EINTR) continue;
    tool_must(got > 0 || refuse("A file changed while it was read: %s", path));
    tool_must(out_bytes(&out, piece, (size_t)got));
    left -= (uint64_t)got;
  }
  close(fd);
}

static void write_link(int dir, const char *name, mode_t mode) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(dir, name, target, sizeof target);
  if (length < 0) tool_must(refuse_call(errno, path));
  write_head(EXPORT_LINK, mode, (uint64_t)length);
  tool_must(out_bytes(&out, target, (size_t)length));
}

static void write_directory(int dir, size_t length, int depth) {
  struct names names;
  tool_must(depth < MAX_DEPTH || refuse("Directories are nested too deeply: %s", path));
  if (names_read(dir, &names) < 0) tool_must(refuse_call(errno, path));
  names_sort(&names);
  for (size_t i = 0; i < names.count; i++) {
    const char *name = names.items[i];
    int added = snprintf(path + length, sizeof path - length, "%s%s", length ? "/" : "", name);
    tool_must(length + (size_t)added < sizeof path || refuse("A path is too long: %s", path));
    struct stat status;
    if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0) tool_must(refuse_call(errno, path));
    if (S_ISREG(status.st_mode)) write_file(dir, name, &status);
    else if (S_ISLNK(status.st_mode)) write_link(dir, name, status.st_mode);
    else if (!S_ISDIR(status.st_mode)) write_head(EXPORT_OTHER, status.st_mode, 0);
    else {
      write_head(EXPORT_DIRECTORY, status.st_mode, 0);
      int below = open_directory(dir, name);
      if (below < 0) tool_must(refuse_call(errno, path));
      write_directory(below, length + (size_t)added, depth + 1);
      close(below);
    }
    path[length] = 0;
  }
  names_free(&names);
}

void run_export(const char *directory) {
  int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) tool_must(refuse_call(errno, directory));
  write_directory(dir, 0, 0);
  uint8_t end = EXPORT_END;
  tool_must(out_bytes(&out, &end, 1) && out_flush(&out));
  exit(0);
}
