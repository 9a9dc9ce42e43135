#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "memory.h"
#include "opening.h"
#include "refusal.h"
#include "tar_format.h"
#include "tool.h"

enum { MAX_DEPTH = 256, PIECE_BYTES = 64 * 1024, RECORD_BYTES = PATH_MAX + 64 };

/* What the size field of a header can say: 11 octal digits. */
static const uint64_t MAX_SIZE = 077777777777;

static struct out out = {.fd = STDOUT_FILENO, .most = UINT64_MAX};
/* Of what is packed, below the directory. */
static char path[PATH_MAX];

static bool pad(uint64_t bytes) {
  static const char zeros[TAR_BLOCK];
  return out_bytes(&out, zeros, (size_t)((TAR_BLOCK - bytes % TAR_BLOCK) % TAR_BLOCK));
}

static bool write_header(const char *name, const char *link, char type, const struct stat *status, uint64_t size) {
  struct tar_header h = {.type = type, .magic = "ustar", .version = "00"};
  memcpy(h.name, name, MIN(strlen(name), sizeof h.name));
  memcpy(h.link, link, MIN(strlen(link), sizeof h.link));
  snprintf(h.mode, sizeof h.mode, "%07o", (unsigned)(status->st_mode & TAR_MODE_BITS));
  snprintf(h.uid, sizeof h.uid, "%07o", 0);
  snprintf(h.gid, sizeof h.gid, "%07o", 0);
  snprintf(h.size, sizeof h.size, "%011llo", (unsigned long long)MIN(size, MAX_SIZE));
  uint64_t modified = status->st_mtim.tv_sec < 0 ? 0 : (uint64_t)status->st_mtim.tv_sec;
  snprintf(h.mtime, sizeof h.mtime, "%011llo", (unsigned long long)MIN(modified, MAX_SIZE));
  snprintf(h.checksum, sizeof h.checksum, "%06o", tar_checksum(&h));
  h.checksum[7] = ' ';
  return out_bytes(&out, &h, sizeof h);
}

/* `LENGTH KEY=VALUE NEWLINE`, whose length counts itself. */
static size_t record(char *to, const char *key, const char *value) {
  size_t rest = strlen(key) + strlen(value) + 3, length = rest + 1;
  while (true) {
    size_t digits = (size_t)snprintf(NULL, 0, "%zu", length);
    if (rest + digits == length) break;
    length = rest + digits;
  }
  snprintf(to, length + 1, "%zu %s=%s\n", length, key, value);
  return length;
}

/* What a header has no room for goes before it. */
static bool write_entry(const char *name, const char *link, char type, const struct stat *status, uint64_t size) {
  static char records[3 * RECORD_BYTES];
  size_t length = 0;
  char digits[24];
  snprintf(digits, sizeof digits, "%llu", (unsigned long long)size);
  if (strlen(name) > sizeof ((struct tar_header *)0)->name) length += record(records + length, "path", name);
  if (strlen(link) > sizeof ((struct tar_header *)0)->link) length += record(records + length, "linkpath", link);
  if (size > MAX_SIZE) length += record(records + length, "size", digits);
  struct stat plain = {.st_mode = 0644};
  if (length && !(write_header("./PaxHeaders/entry", "", 'x', &plain, length) && out_bytes(&out, records, length) && pad(length))) return false;
  return write_header(name, link, type, status, size);
}

static bool pack_file(int dir, const char *name) {
  static uint8_t piece[PIECE_BYTES];
  int fd = open_anyway(dir, name, O_RDONLY, S_IRUSR);
  struct stat status;
  bool packed = fd >= 0 && fstat(fd, &status) == 0;
  if (!packed) refuse_call(errno, path);
  uint64_t left = packed ? (uint64_t)status.st_size : 0;
  packed = packed && write_entry(path, "", '0', &status, left);
  while (packed && left > 0) {
    ssize_t got = read(fd, piece, (size_t)MIN(left, (uint64_t)sizeof piece));
    if (got < 0 && errno == EINTR) continue;
    packed = got > 0 ? out_bytes(&out, piece, (size_t)got) : refuse("It has become shorter: %s", path);
    left -= got > 0 ? (uint64_t)got : 0;
  }
  if (fd >= 0) close(fd);
  return packed && pad((uint64_t)status.st_size);
}

static bool pack_link(int dir, const char *name, const struct stat *status) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(dir, name, target, sizeof target - 1);
  if (length < 0) return refuse_call(errno, path);
  target[length] = 0;
  return write_entry(path, target, '2', status, 0);
}

static bool pack_all(int fd, size_t length, int depth);

static bool pack_directory(int dir, const char *name, size_t length, int depth, const struct stat *status) {
  if (depth > MAX_DEPTH) return refuse("Directories are nested too deeply: %s", path);
  if (length + 2 > sizeof path) return refuse_call(ENAMETOOLONG, path);
  memcpy(path + length, "/", 2);
  int fd = open_directory(dir, name);
  bool packed = fd >= 0 ? write_entry(path, "", '5', status, 0) && pack_all(fd, length + 1, depth) : refuse_call(errno, path);
  if (fd >= 0) close(fd);
  return packed;
}

static bool pack_name(int dir, const char *name, size_t length, int depth) {
  struct stat status;
  /* What goes away while it is looked at is left out. */
  if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT || refuse_call(errno, path);
  if (S_ISREG(status.st_mode)) return pack_file(dir, name);
  if (S_ISLNK(status.st_mode)) return pack_link(dir, name, &status);
  if (S_ISDIR(status.st_mode)) return pack_directory(dir, name, length, depth + 1, &status);
  return !S_ISFIFO(status.st_mode) || write_entry(path, "", '6', &status, 0);
}

/* `length`: of the path of the directory, with its slash. */
static bool pack_all(int fd, size_t length, int depth) {
  struct names names;
  if (names_read(fd, &names) < 0) return refuse_call(errno, path);
  names_sort(&names);
  bool packed = true;
  for (size_t i = 0; packed && i < names.count; i++) {
    int added = snprintf(path + length, sizeof path - length, "%s", names.items[i]);
    packed = length + (size_t)added < sizeof path ? pack_name(fd, names.items[i], length + (size_t)added, depth) : refuse_call(ENAMETOOLONG, path);
  }
  path[length] = 0;
  names_free(&names);
  return packed;
}

bool tar_pack(int dir) {
  static const char end[2 * TAR_BLOCK];
  return pack_all(dir, 0, 0) && out_bytes(&out, end, sizeof end) && out_flush(&out);
}
