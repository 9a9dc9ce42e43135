#define _GNU_SOURCE
#include "place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "refusal.h"
#include "undo.h"

enum { DIRECTORY_MODE = 0755 };

static const char *root;
static int root_fd = -1;

void places_open(const char *path) {
  root = path;
  root_fd = (int)must("opening the root", open(path, O_PATH | O_DIRECTORY | O_CLOEXEC));
}

const char *places_root(void) { return root; }

int places_root_fd(void) { return root_fd; }

const char *below_root(const char *path) {
  size_t length = strlen(root);
  if (strncmp(path, root, length) != 0) return NULL;
  if (path[length] == 0) return path + length;
  return path[length] == '/' ? path + length + 1 : NULL;
}

/* A program that shuts the root shuts itself out, and the service with it: its owner opens it again. */
static void reopen_root(void) {
  if (access(root, R_OK | W_OK | X_OK) < 0) chmod(root, DIRECTORY_MODE);
}

static bool leaves(const char *path) {
  return refuse("Path leaves %s through a symbolic link: %s", root, path);
}

static int top(const struct place *p) {
  return p->entered.count ? p->entered.items[p->entered.count - 1] : root_fd;
}

static void close_entered(struct place *p) {
  for (size_t i = 0; i < p->entered.count; i++) close(p->entered.items[i]);
  p->entered.count = 0;
}

void place_close(struct place *p) {
  close_entered(p);
  ints_free(&p->entered);
  free(p->made);
  for (size_t i = 0; i < p->held_count; i++) free(p->held[i]);
  free(p->rest);
}

/* Puts the parts of a path before what is still to go; the next one is the last in the list. */
static void put_parts(struct place *p, const char *path) {
  char *text = copy_text(path);
  p->held[p->held_count++] = text;
  size_t parts = 1;
  for (const char *c = text; *c; c++) parts += *c == '/';
  if (p->rest_count + parts > p->rest_capacity) {
    p->rest_capacity = p->rest_count + parts;
    p->rest = reallocate(p->rest, p->rest_capacity * sizeof *p->rest);
  }
  p->rest_count += parts;
  size_t at = p->rest_count;
  for (char *part = text; part; ) {
    char *slash = strchr(part, '/');
    if (slash) *slash = 0;
    p->rest[--at] = part;
    part = slash ? slash + 1 : NULL;
  }
}

static bool says_nothing(const char *part) { return part[0] == 0 || strcmp(part, ".") == 0; }

static bool is_last(const struct place *p) {
  for (size_t i = 0; i < p->rest_count; i++)
    if (!says_nothing(p->rest[i])) return false;
  return true;
}

static void remember_made(struct place *p, const char *name) {
  p->made = reallocate(p->made, (p->made_count + 1) * sizeof *p->made);
  p->made[p->made_count++] = (struct made){.above = p->entered.count, .name = name};
}

void place_unmake(struct place *p) {
  while (p->made_count > 0) {
    const struct made *last = &p->made[--p->made_count];
    int above = last->above ? p->entered.items[last->above - 1] : root_fd;
    if (unlinkat(above, last->name, AT_REMOVEDIR) == 0) undo_unmade(above, last->name);
  }
}

/* A way that is left again by a link or `..` is not remembered. */
static void forget_made(struct place *p) {
  while (p->made_count > 0 && p->made[p->made_count - 1].above >= p->entered.count) p->made_count--;
}

static bool enter_link(struct place *p, int fd, const char *path) {
  char target[PATH_MAX];
  ssize_t length = readlinkat(fd, "", target, sizeof target - 1);
  int error = errno;
  close(fd);
  if (length < 0) return refuse_call(error, path);
  target[length] = 0;
  if (p->held_count > MAX_LINKS) return refuse("Too many symbolic links: %s", path);
  const char *below = target;
  if (target[0] == '/') {
    below = below_root(target);
    if (!below) return leaves(path);
    close_entered(p);
    forget_made(p);
  }
  put_parts(p, below);
  return true;
}

static bool make_part(struct place *p, const char *name, const char *path) {
  struct undo_dir above;
  bool made = undo_enter(&above, top(p));
  if (made && mkdirat(top(p), name, DIRECTORY_MODE) == 0) {
    undo_made(&above, name);
    remember_made(p, name);
  } else if (made) {
    made = errno == EEXIST || refuse_call(errno, path);
  }
  undo_leave(&above);
  return made;
}

static bool missing(struct place *p, const char *name, int error, const char *path, bool make_parents) {
  if (error != ENOENT) return refuse_call(error, path);
  if (is_last(p)) {
    p->dir = top(p);
    p->name = name;
    return true;
  }
  if (!make_parents) return refuse_call(ENOENT, path);
  if (!make_part(p, name, path)) return false;
  int fd = openat(top(p), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return refuse_call(errno, path);
  ints_push(&p->entered, fd);
  return true;
}

/* Goes one part further; sets the place's name when it is the last one. */
static bool step(struct place *p, const char *name, const char *path, bool follow, bool make_parents) {
  int fd = openat(top(p), name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return missing(p, name, errno, path, make_parents);
  struct stat status;
  if (fstat(fd, &status) < 0) {
    refuse_call(errno, path);
    close(fd);
    return false;
  }
  bool last = is_last(p);
  if (S_ISLNK(status.st_mode) && (follow || !last)) return enter_link(p, fd, path);
  if (last) {
    close(fd);
    p->dir = top(p);
    p->name = name;
    return true;
  }
  if (!S_ISDIR(status.st_mode)) {
    close(fd);
    return refuse_call(ENOTDIR, path);
  }
  ints_push(&p->entered, fd);
  return true;
}

bool place_find(struct place *p, const char *path, bool follow, bool make_parents) {
  *p = (struct place){.dir = -1};
  reopen_root();
  const char *below = below_root(path);
  if (!below) return leaves(path);
  put_parts(p, below);
  while (p->rest_count > 0) {
    const char *part = p->rest[--p->rest_count];
    if (says_nothing(part)) continue;
    if (strcmp(part, "..") == 0) {
      if (p->entered.count == 0) return leaves(path);
      close(p->entered.items[--p->entered.count]);
      forget_made(p);
      continue;
    }
    if (!step(p, part, path, follow, make_parents)) return false;
    if (p->name) return true;
  }
  p->dir = top(p);
  p->name = ".";
  return true;
}
