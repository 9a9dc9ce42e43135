#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "directories.h"
#include "kept_tree.h"
#include "memory.h"
#include "opening.h"
#include "refusal.h"

enum {
  CONTENT_MODE = 0600,
  OWNER_ALL = 0700,
  MODE_BITS = 07777,
  BLOCK = 4096,
  FIRST_PLACES = 1024,
  /* With it a restoration begins where the disk is full: see restore_tree.c. */
  SPARE_BYTES = 256 * 1024,
};

static uint32_t hash(uint64_t number) { return (uint32_t)((number * 0x9E3779B97F4A7C15u) >> 32); }

static uint32_t *place_of(const struct kept_tree *t, uint64_t number) {
  uint32_t i = hash(number) & t->mask;
  while (t->table[i] != NONE && t->inodes[t->table[i]].number != number) i = (i + 1) & t->mask;
  return &t->table[i];
}

static void fill_table(struct kept_tree *t, uint32_t places) {
  t->mask = places - 1;
  t->table = reallocate(t->table, places * sizeof *t->table);
  memset(t->table, 0xff, places * sizeof *t->table);
  for (uint32_t i = 0; i < t->inode_count; i++) *place_of(t, t->inodes[i].number) = i;
}

/* Room for one more at the end of a list. */
static void *one_more(void *list, uint32_t count, uint32_t *capacity, size_t bytes) {
  if (count < *capacity) return list;
  *capacity = *capacity ? 2 * *capacity : 64;
  return reallocate(list, *capacity * bytes);
}

static uint32_t add_inode(struct kept_tree *t, const struct stat *status) {
  if (2 * (t->inode_count + 1) > t->mask) fill_table(t, 2 * (t->mask + 1));
  t->inodes = one_more(t->inodes, t->inode_count, &t->inode_capacity, sizeof *t->inodes);
  t->inodes[t->inode_count] = (struct kept_inode){
      .number = status->st_ino,
      .mode = status->st_mode,
      .size = (uint64_t)status->st_size,
      .blocks = (uint64_t)status->st_blocks,
      .times = {status->st_atim, status->st_mtim},
      .home = NONE,
  };
  *place_of(t, status->st_ino) = t->inode_count;
  return t->inode_count++;
}

static bool keep_part(struct kept_tree *t, int fd, struct part part) {
  uint64_t at = (t->content_size + BLOCK - 1) / BLOCK * BLOCK, length = part.to - part.from;
  if (at + length > t->content_most) return errno = ENOSPC, false;
  t->parts = one_more(t->parts, t->part_count, &t->part_capacity, sizeof *t->parts);
  t->parts[t->part_count++] = (struct kept_part){part, at};
  t->content_size = at + length;
  return part_copy(fd, part.from, t->content, at, length);
}

static bool keep_content(struct kept_tree *t, int dir, const char *name, uint32_t inode) {
  struct kept_inode *k = &t->inodes[inode];
  k->first_part = t->part_count;
  if (k->size == 0) return true;
  int fd = open_anyway(dir, name, O_RDONLY | O_NOATIME, S_IRUSR);
  bool kept = fd >= 0;
  for (struct part part = {0}; kept && part_next(fd, part.to, k->size, &part); t->breathe()) kept = keep_part(t, fd, part);
  int error = errno;
  if (fd >= 0) close(fd);
  k->part_count = t->part_count - k->first_part;
  return kept || refuse_call(error, name);
}

static bool keep_target(struct kept_tree *t, int dir, const char *name, uint32_t inode) {
  char target[PATH_MAX + 1];
  ssize_t length = readlinkat(dir, name, target, sizeof target - 1);
  if (length < 0) return refuse_call(errno, name);
  target[length] = 0;
  t->inodes[inode].target = copy_text(target);
  return true;
}

static bool keep_inode(struct kept_tree *t, int dir, uint32_t index) {
  const char *name = t->names[index].name;
  struct stat status;
  if (fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return refuse_call(errno, name);
  uint32_t known = *place_of(t, status.st_ino);
  uint32_t inode = known == NONE ? add_inode(t, &status) : known;
  t->names[index].inode = inode;
  if (known != NONE) return true;
  if (S_ISDIR(status.st_mode)) t->inodes[inode].home = index;
  if (S_ISREG(status.st_mode)) return keep_content(t, dir, name, inode);
  return !S_ISLNK(status.st_mode) || keep_target(t, dir, name, inode);
}

static void add_names(struct kept_tree *t, uint32_t of, const struct names *names) {
  t->names[of].first = t->name_count;
  t->names[of].count = (uint32_t)names->count;
  for (size_t i = 0; i < names->count; i++) {
    t->names = one_more(t->names, t->name_count, &t->name_capacity, sizeof *t->names);
    t->names[t->name_count++] = (struct kept_name){.name = copy_text(names->items[i]), .parent = of, .inode = NONE};
  }
}

static bool keep_directory(struct kept_tree *t, uint32_t index, int fd, int depth);

/* One that its owner has shut is open for as long as it is looked at. */
static bool keep_below(struct kept_tree *t, uint32_t index, int dir, int depth) {
  const char *name = t->names[index].name;
  mode_t mode = t->inodes[t->names[index].inode].mode & MODE_BITS;
  bool shut = (mode & OWNER_ALL) != OWNER_ALL;
  if (depth > MAX_KEPT_DEPTH) return refuse("Directories are nested too deep to be kept: %s", name);
  if (shut && fchmodat(dir, name, mode | OWNER_ALL, 0) < 0) return refuse_call(errno, name);
  int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOATIME);
  bool kept = fd >= 0 ? keep_directory(t, index, fd, depth) : refuse_call(errno, name);
  if (fd >= 0 && shut && fchmod(fd, mode) < 0) kept = refuse_call(errno, name);
  if (fd >= 0) close(fd);
  return kept;
}

static bool keep_directory(struct kept_tree *t, uint32_t index, int fd, int depth) {
  struct names names;
  if (names_read(fd, &names) < 0) return refuse_call(errno, t->names[index].name);
  names_sort(&names);
  add_names(t, index, &names);
  names_free(&names);
  uint32_t first = t->names[index].first, end = first + t->names[index].count;
  for (uint32_t i = first; i < end; i++) {
    if (!keep_inode(t, fd, i)) return false;
    t->breathe();
  }
  for (uint32_t i = first; i < end; i++)
    if (S_ISDIR(t->inodes[t->names[i].inode].mode) && !keep_below(t, i, fd, depth + 1)) return false;
  return true;
}

/* A file without a name. */
static int open_nameless(int root) {
  int fd = openat(root, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, CONTENT_MODE);
  if (fd < 0) refuse_call(errno, "what a transaction keeps");
  return fd;
}

bool tree_keep(struct kept_tree *t, int root, mode_t mode, uint64_t most, void (*breathe)(void)) {
  *t = (struct kept_tree){.content = -1, .spare = -1, .content_most = most, .breathe = breathe};
  fill_table(t, FIRST_PLACES);
  t->names = one_more(t->names, 0, &t->name_capacity, sizeof *t->names);
  t->names[t->name_count++] = (struct kept_name){.name = copy_text("."), .parent = NONE, .inode = NONE};
  t->content = open_nameless(root);
  t->spare = t->content < 0 ? -1 : open_nameless(root);
  bool kept = t->spare >= 0 && keep_inode(t, root, 0) && keep_below(t, 0, root, 0);
  if (kept) t->inodes[0].mode = mode;
  if (kept && fallocate(t->spare, 0, 0, SPARE_BYTES) < 0 && errno == ENOSPC) kept = refuse_call(errno, "what a transaction keeps");
  if (!kept) tree_forget(t);
  return kept;
}

void tree_forget(struct kept_tree *t) {
  for (uint32_t i = 0; i < t->name_count; i++) free(t->names[i].name);
  for (uint32_t i = 0; i < t->inode_count; i++) free(t->inodes[i].target);
  free(t->names);
  free(t->inodes);
  free(t->parts);
  free(t->table);
  if (t->content >= 0) close(t->content);
  if (t->spare >= 0) close(t->spare);
  *t = (struct kept_tree){.content = -1, .spare = -1};
}

uint32_t kept_inode_of(const struct kept_tree *t, int dir, const char *name, const struct stat *status) {
  uint32_t inode = *place_of(t, status->st_ino);
  if (inode == NONE || (t->inodes[inode].mode & S_IFMT) != (status->st_mode & S_IFMT)) return NONE;
  if (!S_ISLNK(status->st_mode)) return inode;
  char target[PATH_MAX + 1];
  ssize_t length = readlinkat(dir, name, target, sizeof target - 1);
  if (length < 0) return NONE;
  target[length] = 0;
  return strcmp(target, t->inodes[inode].target) == 0 ? inode : NONE;
}

uint32_t kept_name_in(const struct kept_tree *t, uint32_t directory, const char *name) {
  uint32_t low = t->names[directory].first, high = low + t->names[directory].count, end = high;
  while (low < high) {
    uint32_t middle = low + (high - low) / 2;
    if (strcmp(t->names[middle].name, name) < 0) low = middle + 1;
    else high = middle;
  }
  return low < end && strcmp(t->names[low].name, name) == 0 ? low : NONE;
}
