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

enum { MAX_DEPTH = 256, MODE_BITS = 07777, PIECE_BYTES = 64 * 1024, RECORD_BYTES = PATH_MAX + 64 };

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

/* What a name is. `fd`: of a file or directory, else -1. */
struct looked {
  struct stat status;
  int fd;
};

/* Of the link that was looked at last. */
static char target[PATH_MAX];

/* False with an error number. */
static bool look(int dir, const char *name, struct looked *l) {
  l->fd = -1;
  if (fstatat(dir, name, &l->status, AT_SYMLINK_NOFOLLOW) < 0) return false;
  if (S_ISLNK(l->status.st_mode)) {
    ssize_t length = readlinkat(dir, name, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = 0;
    return length >= 0;
  }
  if (S_ISDIR(l->status.st_mode)) l->fd = open_anyway(dir, name, O_RDONLY | O_DIRECTORY, S_IRUSR);
  else if (S_ISREG(l->status.st_mode)) l->fd = open_anyway(dir, name, O_RDONLY, S_IRUSR);
  else return true;
  return l->fd >= 0;
}

/* The same in a directory that its owner has shut, which is open for that moment: this program may be ended at any time. */
static bool look_anyway(int dir, const char *name, struct looked *l) {
  if (look(dir, name, l)) return true;
  struct stat status;
  if (errno != EACCES || fstat(dir, &status) < 0 || fchmod(dir, (status.st_mode & MODE_BITS) | S_IXUSR) < 0) return false;
  bool done = look(dir, name, l);
  int error = errno;
  if (fchmod(dir, status.st_mode & MODE_BITS) < 0 && done) {
    error = errno;
    done = false;
    if (l->fd >= 0) close(l->fd);
  }
  errno = error;
  return done;
}

static bool pack_file(int fd) {
  static uint8_t piece[PIECE_BYTES];
  struct stat status;
  bool packed = fstat(fd, &status) == 0 || refuse_call(errno, path);
  uint64_t left = packed ? (uint64_t)status.st_size : 0;
  packed = packed && write_entry(path, "", '0', &status, left);
  while (packed && left > 0) {
    ssize_t got = read(fd, piece, (size_t)MIN(left, (uint64_t)sizeof piece));
    if (got < 0 && errno == EINTR) continue;
    packed = got > 0 ? out_bytes(&out, piece, (size_t)got) : refuse("It has become shorter: %s", path);
    left -= got > 0 ? (uint64_t)got : 0;
  }
  return packed && pad((uint64_t)status.st_size);
}

static bool pack_all(int fd, size_t length, int depth);

static bool pack_directory(int fd, size_t length, int depth, const struct stat *status) {
  if (depth > MAX_DEPTH) return refuse("Directories are nested too deeply: %s", path);
  if (length + 2 > sizeof path) return refuse_call(ENAMETOOLONG, path);
  memcpy(path + length, "/", 2);
  return write_entry(path, "", '5', status, 0) && pack_all(fd, length + 1, depth);
}

static bool pack_name(int dir, const char *name, size_t length, int depth) {
  struct looked l;
  /* What goes away while it is looked at is left out. */
  if (!look_anyway(dir, name, &l)) return errno == ENOENT || refuse_call(errno, path);
  bool packed = true;
  if (S_ISREG(l.status.st_mode)) packed = pack_file(l.fd);
  else if (S_ISLNK(l.status.st_mode)) packed = write_entry(path, target, '2', &l.status, 0);
  else if (S_ISDIR(l.status.st_mode)) packed = pack_directory(l.fd, length, depth + 1, &l.status);
  else if (S_ISFIFO(l.status.st_mode)) packed = write_entry(path, "", '6', &l.status, 0);
  if (l.fd >= 0) close(l.fd);
  return packed;
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
