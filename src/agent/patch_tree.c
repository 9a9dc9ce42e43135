#define _GNU_SOURCE
#include "patch_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directories.h"
#include "memory.h"
#include "patch_commit.h"
#include "protocol.h"
#include "refusal.h"

enum { FIRST_PLACES = 256, ASIDE_MODE = 0700, NAME_BYTES = 16, STAGED_MODE = 0600 };

struct tree tree = {.base = -1, .aside = -1};
static uint32_t staged;
static bool dry;
/* A table by name; NULL for an empty place. */
static struct entry_of **places;
static size_t mask;

void tree_open(int base, const char *aside, bool is_dry) {
  tree.base = base;
  dry = is_dry;
  tree.aside_path = aside;
  if (mkdir(aside, ASIDE_MODE) < 0) tool_must(errno == ENOSPC ? refuse("No space left in the sandbox") : refuse_call(errno, aside));
  tree.aside = (int)must("opening what is written aside", open(aside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

static size_t place_of(const char *name) {
  size_t sum = 5381;
  for (const char *c = name; *c; c++) sum = 33 * sum + (uint8_t)*c;
  sum &= mask;
  while (places[sum] && strcmp(places[sum]->name, name) != 0) sum = (sum + 1) & mask;
  return sum;
}

static void grow(void) {
  struct entry_of **old = places;
  size_t count = old ? mask + 1 : 0;
  mask = old ? 2 * mask + 1 : FIRST_PLACES - 1;
  places = allocate((mask + 1) * sizeof(struct entry_of *));
  memset(places, 0, (mask + 1) * sizeof(struct entry_of *));
  for (size_t i = 0; i < count; i++)
    if (old[i]) places[place_of(old[i]->name)] = old[i];
  free(old);
}

int tree_parent(const char *name, const char **last, bool *missing) {
  char part[NAME_MAX + 1];
  int dir = (int)must("openat", openat(tree.base, ".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  *missing = false;
  for (const char *slash; (slash = strchr(name, '/')); name = slash + 1) {
    snprintf(part, sizeof part, "%.*s", (int)(slash - name), name);
    struct stat status;
    int next = openat(dir, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    int error = errno;
    close(dir);
    if (next < 0) {
      *missing = error == ENOENT;
      return *missing ? -1 : (refuse_call(error, name), -1);
    }
    if (fstat(next, &status) < 0) die_errno("fstat");
    if (S_ISDIR(status.st_mode)) {
      dir = next;
      continue;
    }
    close(next);
    *missing = !S_ISLNK(status.st_mode);
    if (!*missing) refuse("A part of its path is a symbolic link");
    return -1;
  }
  *last = name;
  return dir;
}

/* Whether the name lies below a link that the patch takes away. */
static bool makes_room(const char *name) {
  bool found = false;
  char *path = copy_text(name);
  for (char *slash; !found && (slash = strrchr(path, '/'));) {
    *slash = 0;
    const struct entry_of *e = places[place_of(path)];
    found = e && e->goes && (e->now.mode & KIND_BITS) == LINK_MODE;
  }
  free(path);
  return found;
}

static bool look(struct entry_of *e) {
  const char *last;
  bool missing;
  int dir = tree_parent(e->name, &last, &missing);
  if (dir < 0) return missing || makes_room(e->name) || refuse("%s: a part of its path is a symbolic link", e->name);
  int found = fstatat(dir, last, &e->status, AT_SYMLINK_NOFOLLOW), error = errno;
  close(dir);
  if (found < 0) return error == ENOENT || refuse_call(error, e->name);
  e->now = (struct version_of){e->status.st_mode, NOT_STAGED};
  e->then = e->now;
  return true;
}

struct entry_of *tree_entry(const char *name) {
  if (!places || 2 * tree.count > mask) grow();
  size_t place = place_of(name);
  if (places[place]) return places[place];
  struct entry_of *e = allocate(sizeof *e);
  *e = (struct entry_of){.name = copy_text(name), .now.staged = NOT_STAGED, .then.staged = NOT_STAGED};
  if (!look(e)) return NULL;
  places[place] = e;
  if ((tree.count & (tree.count - 1)) == 0)
    tree.entries = reallocate(tree.entries, (tree.count ? 2 * tree.count : 1) * sizeof(struct entry_of *));
  tree.entries[tree.count++] = e;
  return e;
}

const char *staged_name(uint32_t number, char prefix) {
  static char name[NAME_BYTES];
  snprintf(name, sizeof name, "%c%u", prefix, number);
  return name;
}

static bool read_link(int dir, const char *name, const char *path, struct bytes *content) {
  char *target = allocate(PATH_MAX);
  ssize_t length = readlinkat(dir, name, target, PATH_MAX);
  *content = (struct bytes){(uint8_t *)target, length < 0 ? 0 : (size_t)length};
  return length >= 0 || refuse_call(errno, path);
}

static bool map_at(int dir, const char *name, const char *path, struct bytes *content) {
  int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) return refuse_call(errno, path);
  struct stat status;
  bool done = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? file_map(fd, path, content) : refuse("Changed while it was used: %s", path);
  close(fd);
  return done;
}

bool tree_content(const struct entry_of *e, struct version_of version, struct bytes *content) {
  bool is_link = (version.mode & KIND_BITS) == LINK_MODE;
  const char *last = NULL;
  bool missing;
  /* Where a link will point is written aside as a file, too. */
  if (version.staged != NOT_STAGED) return map_at(tree.aside, staged_name(version.staged, 'n'), e->name, content);
  int dir = tree_parent(e->name, &last, &missing);
  if (dir < 0) return refuse("Changed while it was used: %s", e->name);
  bool done = is_link ? read_link(dir, last, e->name, content) : map_at(dir, last, e->name, content);
  close(dir);
  return done;
}

static bool kept_aside(const struct entry_of *e) { return !dry || e->readers > 0; }

bool tree_begin(struct out *o, const struct entry_of *e) {
  *o = (struct out){.most = MAX_TEXT_BYTES};
  if (kept_aside(e)) o->fd = openat(tree.aside, staged_name(staged, 'n'), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, STAGED_MODE);
  else o->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (o->fd >= 0) return true;
  return errno == ENOSPC ? refuse("No space left in the sandbox") : refuse_call(errno, e->name);
}

bool tree_end(struct out *o, struct entry_of *e, uint32_t mode) {
  bool done = out_flush(o);
  close(o->fd);
  out_free(o);
  e->then = (struct version_of){mode, staged++};
  return done;
}

/* Whether nothing stays in a directory but directories. */
static bool all_go(int dir, const char *path) {
  struct names names;
  bool all = dir >= 0 && names_read(dir, &names) == 0;
  if (!all) return false;
  for (size_t i = 0; all && i < names.count; i++) {
    char below[PATH_MAX];
    struct entry found;
    all = snprintf(below, sizeof below, "%s/%s", path, names.items[i]) < (int)sizeof below && entry_read(dir, names.items[i], &found) == 0;
    if (all && found.type == TYPE_DIRECTORY) {
      int inner = open_directory(dir, names.items[i]);
      all = all_go(inner, below);
      if (inner >= 0) close(inner);
    } else if (all) {
      const struct entry_of *e = places[place_of(below)];
      all = e && e->goes && !e->replaced;
    }
  }
  names_free(&names);
  return all;
}

bool tree_vanishes(const struct entry_of *e) {
  const char *last;
  bool missing;
  int dir = S_ISDIR(e->then.mode) ? tree_parent(e->name, &last, &missing) : -1;
  if (dir < 0) return false;
  int fd = open_directory(dir, last);
  bool all = all_go(fd, e->name);
  if (fd >= 0) close(fd);
  close(dir);
  return all;
}

void tree_again(struct out *o) {
  o->count = 0;
  o->total = 0;
  if (lseek(o->fd, 0, SEEK_SET) < 0 || ftruncate(o->fd, 0) < 0) {
    /* What is thrown away needs no beginning. */
  }
}

void tree_remove(struct entry_of *e) { e->then = (struct version_of){0, NOT_STAGED}; }

void tree_close(void) {
  if (tree.aside < 0) return;
  /* What says whether all was done goes last. */
  for (uint32_t i = 0; i < staged; i++) unlinkat(tree.aside, staged_name(i, 'n'), 0);
  for (uint32_t i = 0; i < tree.count; i++) unlinkat(tree.aside, staged_name(i, 'o'), 0);
  directory_empty(tree.aside);
  rmdir(tree.aside_path);
  tree.aside = -1;
}
