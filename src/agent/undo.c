#define _GNU_SOURCE
#include "undo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "files.h"
#include "memory.h"
#include "opening.h"
#include "parts.h"
#include "refusal.h"

enum { ASIDE_MODE = 0700, ASIDE_FILE_MODE = 0600, OWNER_ALL = 0700, MODE_BITS = 07777, NAME_BYTES = 24 };

enum deed {
  /* It came to nothing, and what it was about is gone. */
  NOTHING,
  /* A directory was changed for the first time: what its times were. */
  TOUCHED,
  MADE,
  /* What was there has another name aside, which is still to be put back. */
  KEPT,
  /* It was moved there. */
  TOOK,
  MOVED,
  GREW,
  /* Its content was copied there. */
  CHANGED,
};

struct step {
  enum deed deed;
  /* Of its directory below the root, and the name in that. */
  char *path, *name;
  /* Of what was moved: where to. */
  char *to_path, *to_name;
  /* Of what is aside. */
  uint32_t number;
  uint64_t size;
  mode_t mode;
  struct timespec times[2];
};

static struct {
  bool open;
  int root, aside;
  char aside_name[48];
  uint32_t asides;
  struct step *steps;
  size_t count, capacity;
  mode_t root_mode;
  char root_path[PATH_MAX];
  /* The directory entered last; its inode is 0 once it may be elsewhere. */
  uint64_t last;
  char *last_path;
  /* Directories whose times are in the log. */
  uint64_t *touched;
  size_t touched_count, touched_capacity;
} undo = {.root = -1, .aside = -1};

static void times_of(const struct stat *status, struct timespec times[2]) {
  times[0] = status->st_atim;
  times[1] = status->st_mtim;
}

static const char *aside_name(uint32_t number) {
  static char name[NAME_BYTES];
  snprintf(name, sizeof name, "%u", number);
  return name;
}

static struct step *log_step(enum deed deed, const struct undo_dir *d, const char *name) {
  if (undo.count == undo.capacity) {
    undo.capacity = undo.capacity ? 2 * undo.capacity : 64;
    undo.steps = reallocate(undo.steps, undo.capacity * sizeof *undo.steps);
  }
  struct step *s = &undo.steps[undo.count++];
  *s = (struct step){.deed = deed, .path = copy_text(d->path), .name = name ? copy_text(name) : NULL};
  return s;
}

static bool path_read(int fd, char path[PATH_MAX]) {
  char link[40];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, PATH_MAX);
  if (length < 0 || length == PATH_MAX) return false;
  path[length] = 0;
  return true;
}

bool undo_open(int root) {
  undo.root = root;
  undo.last = 0;
  struct stat status = {0};
  undo.open = fstat(root, &status) == 0 && path_read(root, undo.root_path);
  undo.root_mode = status.st_mode & MODE_BITS;
  return undo.open || refuse_call(errno, "the root");
}

bool undo_is_open(void) { return undo.open; }

bool undo_hides(const char *name) { return undo.aside >= 0 && strcmp(name, undo.aside_name) == 0; }

/* Its coming and going is no change of the root’s. */
static bool with_times_of_root(bool (*change)(void)) {
  struct stat status;
  struct timespec times[2];
  if (fstatat(undo.root, ".", &status, 0) < 0) return refuse_call(errno, ".");
  times_of(&status, times);
  bool changed = change();
  utimensat(undo.root, ".", times, 0);
  return changed;
}

static bool make_aside(void) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) < 0) return refuse("No name for what is kept");
  snprintf(undo.aside_name, sizeof undo.aside_name, ".transaction-%016llx%016llx", (unsigned long long)random[0],
           (unsigned long long)random[1]);
  if (mkdirat(undo.root, undo.aside_name, ASIDE_MODE) < 0) return refuse_call(errno, "what a transaction keeps");
  undo.aside = open_directory(undo.root, undo.aside_name);
  return undo.aside >= 0 || refuse_call(errno, "what a transaction keeps");
}

static bool need_aside(void) { return undo.aside >= 0 || with_times_of_root(make_aside); }

/* Its path below the root, as the kernel has it: it may have been reached by links. */
static char *path_of(int dir, uint64_t inode) {
  char path[PATH_MAX];
  if (undo.last == inode) return copy_text(undo.last_path);
  size_t root_length = strlen(undo.root_path);
  if (!path_read(dir, path) || strncmp(path, undo.root_path, root_length) != 0) return NULL;
  const char *below = path + root_length;
  if (*below != '/' && *below != 0) return NULL;
  free(undo.last_path);
  undo.last = inode;
  undo.last_path = copy_text(*below ? below + 1 : below);
  return copy_text(undo.last_path);
}

static bool was_touched(uint64_t inode) {
  for (size_t i = undo.touched_count; i > 0; i--)
    if (undo.touched[i - 1] == inode) return true;
  return false;
}

bool undo_enter(struct undo_dir *d, int dir) {
  *d = (struct undo_dir){NULL};
  if (!undo.open) return true;
  struct stat status;
  if (fstatat(dir, ".", &status, 0) < 0 || !(d->path = path_of(dir, status.st_ino))) return refuse("Too deep for a transaction, or changed while it was used");
  if (was_touched(status.st_ino)) return true;
  times_of(&status, log_step(TOUCHED, d, NULL)->times);
  if (undo.touched_count == undo.touched_capacity) {
    undo.touched_capacity = undo.touched_capacity ? 2 * undo.touched_capacity : 16;
    undo.touched = reallocate(undo.touched, undo.touched_capacity * sizeof *undo.touched);
  }
  undo.touched[undo.touched_count++] = status.st_ino;
  return true;
}

void undo_leave(struct undo_dir *d) {
  free(d->path);
  d->path = NULL;
}

bool undo_put(const struct undo_dir *d, int dir, const char *name) {
  if (!d->path) return true;
  if (!need_aside()) return false;
  if (linkat(dir, name, undo.aside, aside_name(undo.asides), 0) == 0) {
    log_step(KEPT, d, name)->number = undo.asides++;
    return true;
  }
  if (errno == ENOENT) return log_step(MADE, d, name) != NULL;
  /* Nothing is put over a directory, and that has no second name. */
  int error = errno;
  struct stat status;
  bool is_directory = fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode);
  return is_directory || refuse_call(error, name);
}

/* A directory that is moved must be writable itself, for what is above it is written there. */
static int move(int from, const char *name, int to, const char *new, unsigned flags) {
  if (renameat2(from, name, to, new, flags) == 0) return 0;
  struct stat status;
  if (errno != EACCES || fstatat(from, name, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(status.st_mode)) return -1;
  if (fchmodat(from, name, (status.st_mode & MODE_BITS) | OWNER_ALL, 0) < 0) return -1;
  int moved = renameat2(from, name, to, new, flags), error = errno;
  int shut = fchmodat(moved < 0 ? from : to, moved < 0 ? name : new, status.st_mode & MODE_BITS, 0);
  if (moved < 0) errno = error;
  return moved < 0 ? moved : shut;
}

bool undo_take(const struct undo_dir *d, int dir, const char *name) {
  if (!need_aside()) return false;
  if (move(dir, name, undo.aside, aside_name(undo.asides), 0) < 0) return refuse_call(errno, name);
  log_step(TOOK, d, name)->number = undo.asides++;
  undo.last = 0;
  return true;
}

void undo_made(const struct undo_dir *d, const char *name) {
  if (d->path) log_step(MADE, d, name);
}

/* Whether a step was in a directory, or in one below it. */
static bool lies_in(const struct step *s, const char *above, const char *name) {
  const char *path = s->path;
  size_t length = strlen(above);
  if (length && (strncmp(path, above, length) != 0 || path[length] != '/')) return false;
  path += length ? length + 1 : 0;
  length = strlen(name);
  return strncmp(path, name, length) == 0 && (path[length] == '/' || path[length] == 0);
}

void undo_unmade(int dir, const char *name) {
  struct undo_dir d;
  if (!undo_enter(&d, dir) || !d.path) return;
  undo.last = 0;
  bool made = false;
  for (size_t i = undo.count; i > 0 && !made; i--) {
    struct step *s = &undo.steps[i - 1];
    made = s->deed == MADE && strcmp(s->path, d.path) == 0 && strcmp(s->name, name) == 0;
    if (made || lies_in(s, d.path, name)) s->deed = NOTHING;
  }
  undo_leave(&d);
}

void undo_moved(const struct undo_dir *from, const char *old, const struct undo_dir *to, const char *new) {
  if (!from->path) return;
  undo.last = 0;
  struct step *s = log_step(MOVED, from, old);
  s->to_path = copy_text(to->path);
  s->to_name = copy_text(new);
}

bool undo_grow(const struct undo_dir *d, const char *name, int fd) {
  if (!d->path) return true;
  struct stat status;
  if (fstat(fd, &status) < 0) return refuse_call(errno, name);
  struct step *s = log_step(GREW, d, name);
  s->size = (uint64_t)status.st_size;
  s->mode = status.st_mode & MODE_BITS;
  times_of(&status, s->times);
  return true;
}

bool undo_change(const struct undo_dir *d, int dir, const char *name) {
  if (!d->path) return true;
  struct stat status;
  if (!need_aside()) return false;
  int from = open_anyway(dir, name, O_RDONLY | O_NOATIME, S_IRUSR), error = errno;
  int to = from < 0 ? -1 : openat(undo.aside, aside_name(undo.asides), O_WRONLY | O_CREAT | O_EXCL | SAFE, ASIDE_FILE_MODE);
  bool copied = to >= 0 && fstat(from, &status) == 0 && parts_copy(from, to, (uint64_t)status.st_size);
  if (from >= 0) error = errno, close(from);
  if (to >= 0) close(to);
  if (to >= 0 && !copied) unlinkat(undo.aside, aside_name(undo.asides), 0);
  errno = error;
  if (!copied) return refuse_call(error, name);
  struct step *s = log_step(CHANGED, d, name);
  s->number = undo.asides++;
  s->size = (uint64_t)status.st_size;
  s->mode = status.st_mode & MODE_BITS;
  times_of(&status, s->times);
  return true;
}

static bool unmake(int dir, const char *name) {
  if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) return true;
  return errno == EISDIR && (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT);
}

static bool move_back(const struct step *s, int dir) {
  int from = open_below(undo.root, s->to_path);
  bool moved = from >= 0 && move(from, s->to_name, dir, s->name, RENAME_NOREPLACE) == 0;
  int error = errno;
  if (from >= 0) close(from);
  errno = error;
  return moved;
}

/* Writes what was kept of a content back into the file itself. */
static bool write_back(const struct step *s, int fd) {
  int kept = openat(undo.aside, aside_name(s->number), O_RDONLY | SAFE);
  if (kept < 0) return false;
  bool written = ftruncate(fd, 0) == 0 && parts_copy(kept, fd, s->size);
  int error = errno;
  close(kept);
  errno = error;
  return written;
}

static bool restore_content(const struct step *s, int dir) {
  int fd = open_anyway(dir, s->name, O_WRONLY, S_IWUSR);
  if (fd < 0) return false;
  bool restored = s->deed == GREW ? ftruncate(fd, (off_t)s->size) == 0 : write_back(s, fd);
  /* Whoever writes a file takes its set-user-id bit. */
  if (restored) restored = fchmod(fd, s->mode) == 0 && futimens(fd, s->times) == 0;
  int error = errno;
  close(fd);
  errno = error;
  return restored;
}

static bool undo_step(const struct step *s, int dir) {
  switch (s->deed) {
    case NOTHING: break;
    case TOUCHED: return utimensat(dir, ".", s->times, 0) == 0;
    case MADE: return unmake(dir, s->name);
    case KEPT: return renameat(undo.aside, aside_name(s->number), dir, s->name) == 0;
    case TOOK: return move(undo.aside, aside_name(s->number), dir, s->name, RENAME_NOREPLACE) == 0;
    case MOVED: return move_back(s, dir);
    case GREW:
    case CHANGED: return restore_content(s, dir);
  }
  return false;
}

static bool undo_last(void) {
  const struct step *s = &undo.steps[undo.count - 1];
  if (s->deed == NOTHING) return true;
  int dir = open_below(undo.root, s->path);
  bool undone = dir >= 0 && undo_step(s, dir);
  if (!undone) refuse("%s/%s could not be put back (errno %d)", s->path, s->name ? s->name : "", errno);
  if (dir >= 0) close(dir);
  return undone;
}

static void forget_last(void) {
  struct step *s = &undo.steps[--undo.count];
  free(s->path);
  free(s->name);
  free(s->to_path);
  free(s->to_name);
}

static bool remove_aside(void) {
  bool removed = directory_empty(undo.aside) == 0 && unlinkat(undo.root, undo.aside_name, AT_REMOVEDIR) == 0;
  return removed || refuse_call(errno, "what a transaction kept");
}

static bool close_log(void) {
  while (undo.count > 0) forget_last();
  undo.touched_count = 0;
  undo.asides = 0;
  undo.open = false;
  bool removed = undo.aside < 0 || with_times_of_root(remove_aside);
  if (undo.aside >= 0) close(undo.aside);
  undo.aside = -1;
  return removed;
}

/* Whoever looks for a place opens the root (place.c). By its path, since nothing below one that is shut can be named. */
static bool mode_of_root(mode_t mode) {
  struct stat status;
  bool is = fstat(undo.root, &status) == 0 && (status.st_mode & MODE_BITS) == mode;
  return is || chmod(undo.root_path, mode) == 0 || refuse_call(errno, "the root");
}

bool undo_all(void) {
  bool undone = mode_of_root(undo.root_mode | OWNER_ALL);
  while (undone && undo.count > 0) {
    undone = undo_last();
    if (undone) forget_last();
  }
  return close_log() && mode_of_root(undo.root_mode) && undone;
}

void undo_forget(void) { close_log(); }
