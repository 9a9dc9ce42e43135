/*
 * A whole tree as it was: what every name in it stood for, and in one file without a name, on the same disk, the content. What is kept
 * counts as the sandbox's own, and no program can reach it.
 */
#ifndef KEPT_TREE_H
#define KEPT_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "parts.h"

enum { NONE = UINT32_MAX, MAX_KEPT_DEPTH = 400 };

/* A part of a file's content, and where it is kept. */
struct kept_part {
  struct part part;
  uint64_t at;
};

struct kept_inode {
  uint64_t number;
  mode_t mode;
  uint64_t size;
  /* Of 512 bytes. */
  uint64_t blocks;
  /* Of its last use and its last change. */
  struct timespec times[2];
  uint32_t first_part, part_count;
  /* Where a link points; NULL for others. */
  char *target;
  /* Of a directory its one name; of others, while they are put back, one that they have already. */
  uint32_t home;
  /* While they are put back: it has been found, lies aside, has its content again. */
  bool found, aside, restored;
};

struct kept_name {
  char *name;
  uint32_t parent, inode;
  /* Of a directory: the names in it, sorted. */
  uint32_t first, count;
  /* While they are put back: it stands for what it did. */
  bool placed;
};

struct kept_tree {
  /* The first is the root's. */
  struct kept_name *names;
  struct kept_inode *inodes;
  struct kept_part *parts;
  uint32_t name_count, inode_count, part_count;
  uint32_t name_capacity, inode_capacity, part_capacity;
  /* By number: places in `inodes`, NONE where there is none. */
  uint32_t *table;
  uint32_t mask;
  /* The content; and what makes sure that there is room to begin with. -1: not open. */
  int content, spare;
  uint64_t content_size, content_most;
  /* Called again and again. */
  void (*breathe)(void);
};

/*
 * Keeps what lies below a directory that its owner may change, in `most` bytes, and that its mode is `mode`. False when refused, and nothing is
 * kept then. Nothing else may run.
 */
bool tree_keep(struct kept_tree *t, int root, mode_t mode, uint64_t most, void (*breathe)(void));
/* Makes what lies below it what was kept; its owner may change it. False when refused: it is neither. Nothing else may run. */
bool tree_restore(struct kept_tree *t, int root);
void tree_forget(struct kept_tree *t);

/* The inode that a status is of; NONE where none was kept. A link must point where it did. */
uint32_t kept_inode_of(const struct kept_tree *t, int dir, const char *name, const struct stat *status);
/* The name in a kept directory; NONE for none. */
uint32_t kept_name_in(const struct kept_tree *t, uint32_t directory, const char *name);
/* Gives a file its content, permissions and times again. False when refused. */
bool kept_file_restore(struct kept_tree *t, int dir, const char *name, struct kept_inode *k);
/* Gives back the room of what a file has more than was kept of it. */
bool kept_file_shrink(const struct kept_tree *t, int dir, const char *name, const struct kept_inode *k, const struct stat *status);

#endif
