#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "directories.h"
#include "kept_tree.h"
#include "memory.h"
#include "refusal.h"

/*
 * In three passes. The first removes what was not there, and moves aside what was there and has got another name: whatever still exists
 * is found by its inode, so that programs which have it open go on with it. The second gives each name what it stood for, from its place,
 * from aside or made anew, and files their content. The third, from below, sets what the first two have changed of directories.
 */

enum { ASIDE_MODE = 0700, OPEN_MODE = 0700, MODE_BITS = 07777, MAX_HELD = 450, NAME_BYTES = 24 };

static struct kept_tree *tree;
static int root = -1, aside = -1;
static char aside_name[48];

/* Directories that lie too deep are looked at in the aside, later. */
static struct late {
  uint32_t number;
  /* The name that it had, or NONE. */
  uint32_t of;
} *late;
static uint32_t late_count, late_capacity, late_numbers;

/* Further names of what has one already. */
static struct ints extra;

static const char *aside_of(char kind, uint32_t number) {
  static char name[NAME_BYTES];
  snprintf(name, sizeof name, "%c%u", kind, number);
  return name;
}

static bool close_with(int fd, bool result) {
  close(fd);
  return result;
}

/* Opens a directory to be changed, whatever its mode says. */
static int enter(int dir, const char *name) {
  int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
  struct stat status;
  if (fd >= 0 && fstat(fd, &status) == 0 && (status.st_mode & OPEN_MODE) == OPEN_MODE) return fd;
  if (fd >= 0) close(fd);
  if (fchmodat(dir, name, OPEN_MODE, 0) == 0)
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
  else fd = -1;
  if (fd < 0) refuse_call(errno, name);
  return fd;
}

static bool put_aside(int dir, const char *name, uint32_t inode) {
  if (renameat(dir, name, aside, aside_of('i', inode)) < 0) return refuse_call(errno, name);
  return tree->inodes[inode].aside = true;
}

static bool prune(int fd, uint32_t of, bool is_root, int depth);

static bool put_off(int dir, const char *name, uint32_t of) {
  if (late_count == late_capacity) {
    late_capacity = late_capacity ? 2 * late_capacity : 16;
    late = reallocate(late, late_capacity * sizeof *late);
  }
  late[late_count++] = (struct late){late_numbers, of};
  if (fchmodat(dir, name, OPEN_MODE, 0) < 0) return refuse_call(errno, name);
  return renameat(dir, name, aside, aside_of('d', late_numbers++)) == 0 || refuse_call(errno, name);
}

static bool prune_directory(int dir, const char *name, uint32_t inode, bool in_place, int depth) {
  bool known = inode != NONE && !tree->inodes[inode].found;
  uint32_t of = known ? tree->inodes[inode].home : NONE;
  if (known) tree->inodes[inode].found = true;
  if (depth >= MAX_HELD) return put_off(dir, name, of);
  int fd = enter(dir, name);
  if (fd < 0 || !close_with(fd, prune(fd, of, false, depth + 1))) return false;
  if (!known) return unlinkat(dir, name, AT_REMOVEDIR) == 0 || refuse_call(errno, name);
  if (!in_place) return put_aside(dir, name, inode);
  return tree->names[of].placed = true;
}

static bool prune_other(int dir, const char *name, uint32_t inode, uint32_t right, const struct stat *status) {
  struct kept_inode *k = inode == NONE ? NULL : &tree->inodes[inode];
  bool first = k && !k->found;
  if (first && S_ISREG(k->mode) && !kept_file_shrink(tree, dir, name, k, status)) return false;
  if (first) k->found = true;
  if (right != NONE) {
    if (k->home == NONE) k->home = right;
    return tree->names[right].placed = true;
  }
  if (first) return put_aside(dir, name, inode);
  return unlinkat(dir, name, 0) == 0 || refuse_call(errno, name);
}

static bool prune_name(int dir, const char *name, uint32_t of, int depth) {
  struct stat status;
  if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return errno == ENOENT || refuse_call(errno, name);
  uint32_t inode = kept_inode_of(tree, dir, name, &status);
  uint32_t right = of == NONE ? NONE : kept_name_in(tree, of, name);
  if (inode == NONE || right == NONE || tree->names[right].inode != inode) right = NONE;
  tree->breathe();
  if (S_ISDIR(status.st_mode)) return prune_directory(dir, name, inode, right != NONE, depth);
  return prune_other(dir, name, inode, right, &status);
}

static bool prune(int fd, uint32_t of, bool is_root, int depth) {
  struct names names;
  if (names_read(fd, &names) < 0) return refuse_call(errno, "a directory");
  bool pruned = true;
  for (size_t i = 0; pruned && i < names.count; i++)
    if (!is_root || strcmp(names.items[i], aside_name) != 0) pruned = prune_name(fd, names.items[i], of, depth);
  names_free(&names);
  return pruned;
}

static bool prune_late(void) {
  while (late_count > 0) {
    struct late next = late[--late_count];
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s", aside_of('d', next.number));
    int fd = enter(aside, name);
    if (fd < 0 || !close_with(fd, prune(fd, next.of, false, 1))) return false;
    if (next.of != NONE) {
      if (!put_aside(aside, name, tree->names[next.of].inode)) return false;
    } else if (unlinkat(aside, name, AT_REMOVEDIR) < 0) {
      return refuse_call(errno, name);
    }
  }
  return true;
}

static int make(int dir, const char *name, const struct kept_inode *k) {
  if (S_ISDIR(k->mode)) return mkdirat(dir, name, OPEN_MODE);
  if (S_ISLNK(k->mode)) return symlinkat(k->target, dir, name);
  if (!S_ISREG(k->mode)) return mknodat(dir, name, (k->mode & S_IFMT) | S_IRUSR | S_IWUSR, 0);
  int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
  return fd < 0 ? -1 : close(fd);
}

/* Gives a name what it stood for. */
static bool put(int dir, uint32_t index) {
  struct kept_name *n = &tree->names[index];
  struct kept_inode *k = &tree->inodes[n->inode];
  bool named = !S_ISDIR(k->mode) && k->home != NONE;
  if (named) return ints_push(&extra, (int)index), true;
  int put = k->aside ? renameat2(aside, aside_of('i', n->inode), dir, n->name, RENAME_NOREPLACE) : make(dir, n->name, k);
  if (put < 0) return refuse_call(errno, n->name);
  k->aside = false;
  if (k->home == NONE) k->home = index;
  return n->placed = true;
}

static bool restore_details(int dir, const char *name, const struct kept_inode *k) {
  if (!S_ISLNK(k->mode) && fchmodat(dir, name, k->mode & MODE_BITS, 0) < 0) return refuse_call(errno, name);
  return utimensat(dir, name, k->times, AT_SYMLINK_NOFOLLOW) == 0 || refuse_call(errno, name);
}

static bool restore_inode(int dir, const char *name, struct kept_inode *k) {
  if (k->restored) return true;
  k->restored = true;
  return S_ISREG(k->mode) ? kept_file_restore(tree, dir, name, k) : restore_details(dir, name, k);
}

static bool place(int fd, uint32_t of) {
  const struct kept_name directory = tree->names[of];
  for (uint32_t i = directory.first; i < directory.first + directory.count; i++) {
    const struct kept_name *n = &tree->names[i];
    if (!n->placed && !put(fd, i)) return false;
    tree->breathe();
    if (!n->placed) continue;
    if (!S_ISDIR(tree->inodes[n->inode].mode)) {
      if (!restore_inode(fd, n->name, &tree->inodes[n->inode])) return false;
      continue;
    }
    int below = enter(fd, n->name);
    if (below < 0 || !close_with(below, place(below, i))) return false;
  }
  return true;
}

/* The directory that a name is in, now that all of them are there. */
static int open_parent_of(uint32_t index) {
  uint32_t way[MAX_KEPT_DEPTH + 1];
  size_t length = 0;
  for (uint32_t up = tree->names[index].parent; up != 0; up = tree->names[up].parent) way[length++] = up;
  int dir = openat(root, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  while (dir >= 0 && length > 0) {
    int next = openat(dir, tree->names[way[--length]].name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), error = errno;
    close(dir);
    errno = error;
    dir = next;
  }
  if (dir < 0) refuse_call(errno, tree->names[index].name);
  return dir;
}

static bool link_extra(uint32_t index) {
  uint32_t home = tree->inodes[tree->names[index].inode].home;
  int from = open_parent_of(home), to = open_parent_of(index);
  bool linked = from >= 0 && to >= 0 &&
                (linkat(from, tree->names[home].name, to, tree->names[index].name, 0) == 0 || refuse_call(errno, tree->names[index].name));
  if (from >= 0) close(from);
  if (to >= 0) close(to);
  return linked;
}

static bool set_directory(int fd, uint32_t index) {
  const struct kept_inode *k = &tree->inodes[tree->names[index].inode];
  return (fchmod(fd, k->mode & MODE_BITS) == 0 && futimens(fd, k->times) == 0) || refuse_call(errno, tree->names[index].name);
}

static bool finish(int fd, uint32_t of) {
  const struct kept_name directory = tree->names[of];
  for (uint32_t i = directory.first; i < directory.first + directory.count; i++) {
    if (!S_ISDIR(tree->inodes[tree->names[i].inode].mode)) continue;
    int below = enter(fd, tree->names[i].name);
    if (below < 0 || !close_with(below, finish(below, i) && set_directory(below, i))) return false;
    tree->breathe();
  }
  return true;
}

static bool open_aside(int fd) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) < 0) return refuse("No name for what is moved aside");
  snprintf(aside_name, sizeof aside_name, ".restoring-%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
  if (mkdirat(fd, aside_name, ASIDE_MODE) == 0) aside = open_directory(fd, aside_name);
  return aside >= 0 || refuse_call(errno, "what is moved aside");
}

static bool remove_aside(int fd) {
  bool removed = directory_empty(aside) == 0 && unlinkat(fd, aside_name, AT_REMOVEDIR) == 0;
  return removed || refuse_call(errno, "what was moved aside");
}

static bool restore(int fd) {
  if (!open_aside(fd)) return false;
  tree->inodes[0].found = true;
  if (!prune(fd, 0, true, 0) || !prune_late() || !place(fd, 0)) return false;
  for (size_t i = 0; i < extra.count; i++)
    if (!link_extra((uint32_t)extra.items[i])) return false;
  return finish(fd, 0) && remove_aside(fd) && set_directory(fd, 0);
}

bool tree_restore(struct kept_tree *t, int fd) {
  tree = t;
  /* Room to begin with. */
  if (t->spare >= 0) close(t->spare);
  t->spare = -1;
  root = enter(fd, ".");
  bool restored = root >= 0 && restore(root);
  if (aside >= 0) close(aside);
  if (root >= 0) close(root);
  aside = root = -1;
  ints_free(&extra);
  late_count = 0;
  return restored;
}
