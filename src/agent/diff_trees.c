#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "diff_files.h"
#include "directories.h"
#include "memory.h"
#include "refusal.h"

enum {
  /* Two descriptors are held for each level. */
  MAX_DEPTH = 256,
  FILE_MODE = 0100644,
  PROGRAM_MODE = 0100755,
  LINK_MODE = 0120000,
};

struct walk {
  struct out *o;
  uint32_t context;
  struct diff_counts *counts;
  char path[PATH_MAX];
};

/* What has a name in a directory, open as long as it is compared. */
struct found {
  struct version version;
  bool is_directory;
  /* Where a file or link lies; nothing else is opened. */
  int fd;
  char target[PATH_MAX];
};

/* Neither files, links nor directories have a place in a diff: they count as nothing. */
static bool find(int dir, const char *name, const char *path, struct found *f) {
  *f = (struct found){.fd = -1, .version.content.at = (const uint8_t *)""};
  struct stat status;
  if (dir < 0) return true;
  if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT || refuse_call(errno, path);
  f->is_directory = S_ISDIR(status.st_mode);
  if (S_ISLNK(status.st_mode)) {
    ssize_t length = readlinkat(dir, name, f->target, sizeof f->target);
    if (length < 0) return refuse_call(errno, path);
    f->version = (struct version){LINK_MODE, {(const uint8_t *)f->target, (size_t)length}};
  } else if (S_ISREG(status.st_mode)) {
    f->fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (f->fd < 0 || fstat(f->fd, &status) < 0) return refuse_call(errno, path);
    if (!S_ISREG(status.st_mode)) return refuse("Changed while it was used: %s", path);
    f->version.mode = status.st_mode & S_IXUSR ? PROGRAM_MODE : FILE_MODE;
  }
  return true;
}

static bool same_file(const struct found *a, const struct found *b) {
  struct stat x, y;
  return a->fd >= 0 && b->fd >= 0 && fstat(a->fd, &x) == 0 && fstat(b->fd, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static bool compare_files(struct walk *w, struct found *a, struct found *b) {
  if (same_file(a, b)) return true;
  if (a->fd >= 0 && !file_map(a->fd, w->path, &a->version.content)) return false;
  bool done = b->fd < 0 || file_map(b->fd, w->path, &b->version.content);
  struct version nothing = {0, {(const uint8_t *)"", 0}};
  bool other_type = a->version.mode && b->version.mode && (a->version.mode == LINK_MODE) != (b->version.mode == LINK_MODE);
  if (done && other_type) {
    done = pair_write(w->o, w->path, a->version, nothing, w->context, w->counts) &&
           pair_write(w->o, w->path, nothing, b->version, w->context, w->counts);
  } else if (done) {
    done = pair_write(w->o, w->path, a->version, b->version, w->context, w->counts);
  }
  if (a->fd >= 0) file_unmap(a->version.content);
  if (done && b->fd >= 0) file_unmap(b->version.content);
  return done;
}

static bool walk(struct walk *w, int a, int b, size_t length, int depth);

static bool enter(struct walk *w, int a, int b, const char *name, size_t length, int depth) {
  int into_a = a < 0 ? -1 : open_directory(a, name), into_b = b < 0 ? -1 : open_directory(b, name);
  bool done = (a < 0 || into_a >= 0) && (b < 0 || into_b >= 0) ? walk(w, into_a, into_b, length, depth + 1) : refuse_call(errno, w->path);
  if (into_a >= 0) close(into_a);
  if (into_b >= 0) close(into_b);
  return done;
}

/* What goes comes before what takes its place: a file where a directory was, and the other way round. */
static bool compare_name(struct walk *w, int a, int b, const char *name, size_t length, int depth) {
  size_t slash = length > 0, added = strlen(name);
  if (length + slash + added >= sizeof w->path) return refuse("Path too long: %s", w->path);
  if (slash) w->path[length] = '/';
  memcpy(w->path + length + slash, name, added + 1);
  length += slash + added;
  struct found old, new = {.fd = -1};
  bool done = find(a, name, w->path, &old) && find(b, name, w->path, &new);
  if (done && old.is_directory && new.is_directory) done = enter(w, a, b, name, length, depth);
  else {
    if (done && old.is_directory) done = enter(w, a, -1, name, length, depth);
    w->path[length] = 0;
    if (done) done = compare_files(w, &old, &new);
    if (done && new.is_directory) done = enter(w, -1, b, name, length, depth);
  }
  if (old.fd >= 0) close(old.fd);
  if (new.fd >= 0) close(new.fd);
  return done;
}

static bool read_names(int fd, struct names *names, const char *path) {
  *names = (struct names){0};
  if (fd >= 0 && names_read(fd, names) < 0) return refuse_call(errno, path);
  names_sort(names);
  return true;
}

static bool walk(struct walk *w, int a, int b, size_t length, int depth) {
  w->path[length] = 0;
  if (depth > MAX_DEPTH) return refuse("Directories too deep: %s", w->path);
  struct names old = {0}, new = {0};
  bool done = read_names(a, &old, w->path) && read_names(b, &new, w->path);
  for (size_t i = 0, k = 0; done && (i < old.count || k < new.count);) {
    int order = i == old.count ? 1 : k == new.count ? -1 : strcmp(old.items[i], new.items[k]);
    const char *name = order <= 0 ? old.items[i] : new.items[k];
    done = compare_name(w, order <= 0 ? a : -1, order >= 0 ? b : -1, name, length, depth);
    i += order <= 0;
    k += order >= 0;
  }
  names_free(&old);
  names_free(&new);
  return done;
}

bool trees_write(struct out *o, int a, int b, uint32_t context, struct diff_counts *counts) {
  struct walk w = {.o = o, .context = context, .counts = counts};
  return walk(&w, a, b, 0, 1);
}
