#define _GNU_SOURCE
#include "naming.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "directories.h"
#include "files.h"
#include "opening.h"
#include "place.h"
#include "protocol.h"
#include "refusal.h"
#include "undo.h"

enum { DIRECTORY_MODE = 0755 };

bool directory_make(const char *path, bool recursive, uint64_t *created) {
  struct place place;
  struct entry entry;
  struct undo_dir above = {NULL};
  bool made = place_find(&place, path, true, recursive) && undo_enter(&above, place.dir);
  if (made) {
    *created = mkdirat(place.dir, place.name, DIRECTORY_MODE) == 0;
    if (*created) undo_made(&above, place.name);
    if (!*created && errno != EEXIST) made = refuse_call(errno, path);
    else if (!*created && entry_read(place.dir, place.name, &entry) < 0) made = refuse_call(errno, path);
    else if (!*created && entry.type != TYPE_DIRECTORY) made = refuse_call(EEXIST, path);
  }
  if (!made) place_unmake(&place);
  undo_leave(&above);
  place_close(&place);
  return made;
}

/* A path that ends with a slash means a directory, whatever lies there. */
static bool fits(const struct entry *entry, const char *path) {
  size_t length = strlen(path);
  return length == 0 || path[length - 1] != '/' || entry->type == TYPE_DIRECTORY || refuse_call(ENOTDIR, path);
}

/* Whether two names are of one file: then renaming one to the other does nothing (rename(2)). */
static bool same(const struct place *a, const struct place *b) {
  struct stat x, y;
  return fstatat(a->dir, a->name, &x, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(b->dir, b->name, &y, AT_SYMLINK_NOFOLLOW) == 0 &&
         x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Of a directory; one that can't be read has something in it. */
static bool is_empty(int dir, const char *name) {
  struct names names;
  int fd = open_anyway(dir, name, O_RDONLY | O_DIRECTORY, S_IRUSR);
  bool empty = fd >= 0 && names_read(fd, &names) == 0 && names.count == 0;
  if (fd >= 0) close(fd);
  if (fd >= 0) names_free(&names);
  return empty;
}

/* An empty directory gives way to another one. */
static bool make_way(const struct undo_dir *d, const struct place *p, const struct entry *coming) {
  struct entry there;
  if (!d->path || coming->type != TYPE_DIRECTORY || entry_read(p->dir, p->name, &there) < 0 || there.type != TYPE_DIRECTORY)
    return undo_put(d, p->dir, p->name);
  return !is_empty(p->dir, p->name) || undo_take(d, p->dir, p->name);
}

static bool move_place(const struct place *source, const struct place *target, const char *to, bool overwrite, const struct entry *entry) {
  struct undo_dir from, into = {NULL};
  bool moved = undo_enter(&from, source->dir) && undo_enter(&into, target->dir), nothing = same(source, target);
  if (moved && overwrite && !nothing) moved = make_way(&into, target, entry);
  unsigned flags = overwrite ? 0 : RENAME_NOREPLACE;
  if (moved && renameat2(source->dir, source->name, target->dir, target->name, flags) < 0) moved = refuse_call(errno, to);
  if (moved && !nothing) undo_moved(&from, source->name, &into, target->name);
  undo_leave(&from);
  undo_leave(&into);
  return moved;
}

bool name_move(const char *from, const char *to, bool overwrite, uint64_t *bytes) {
  struct place source, target;
  struct entry entry;
  bool moved = place_find(&source, from, false, false);
  if (moved && entry_read(source.dir, source.name, &entry) < 0) moved = refuse_call(errno, from);
  if (moved) moved = fits(&entry, from) && fits(&entry, to);
  if (moved) {
    moved = place_find(&target, to, false, true) && move_place(&source, &target, to, overwrite, &entry);
    if (moved) *bytes = entry.type == TYPE_FILE ? entry.size : 0;
    else place_unmake(&target);
    place_close(&target);
  }
  place_close(&source);
  return moved;
}

static bool not_empty(const char *path) {
  refuse("Directory not empty: %s (recursive deletes it all)", path);
  refusal_reason = FAILED_EXISTS;
  return false;
}

/* In a transaction it goes as a whole, and can come back. */
static bool take_away(const struct place *p, const char *path, bool recursive, const struct entry *entry) {
  if (entry->type == TYPE_DIRECTORY && !recursive && !is_empty(p->dir, p->name)) return not_empty(path);
  struct undo_dir above;
  bool taken = undo_enter(&above, p->dir) && undo_take(&above, p->dir, p->name);
  undo_leave(&above);
  return taken;
}

static bool remove_at(const struct place *p, const char *path, bool recursive) {
  struct entry entry;
  if (strcmp(p->name, ".") == 0) return refuse("Cannot be deleted: %s", path);
  if (entry_read(p->dir, p->name, &entry) < 0) return refuse_call(errno, path);
  if (!fits(&entry, path)) return false;
  if (undo_is_open()) return take_away(p, path, recursive, &entry);
  if (entry.type != TYPE_DIRECTORY) return unlinkat(p->dir, p->name, 0) == 0 || refuse_call(errno, path);
  if (recursive) return directory_remove(p->dir, p->name) == 0 || refuse_call(errno, path);
  if (unlinkat(p->dir, p->name, AT_REMOVEDIR) == 0) return true;
  return errno == ENOTEMPTY ? not_empty(path) : refuse_call(errno, path);
}

bool name_remove(const char *path, bool recursive, const struct expectation *expects) {
  struct place place;
  bool removed = place_find(&place, path, false, false) && expectation_met(expects, place.dir, place.name, path) &&
                 remove_at(&place, path, recursive);
  place_close(&place);
  return removed;
}

bool root_empty(void) {
  if (undo_is_open()) return refuse("Not in a transaction");
  int fd = files_open_directory(places_root());
  if (fd < 0) return false;
  bool cleared = directory_empty(fd) == 0 || refuse_call(errno, places_root());
  close(fd);
  return cleared;
}
