/* What patch_tree.c and patch_commit.c share. */
#ifndef PATCH_COMMIT_H
#define PATCH_COMMIT_H

#include "patch_tree.h"

struct tree {
  int base, aside;
  const char *aside_path;
  struct entry_of **entries;
  size_t count;
};

extern struct tree tree;

/*
 * Opens the directory that a name lies in, and gives its last part. -1 where that is not there (`missing`), or where a part is a link,
 * refused.
 */
int tree_parent(const char *name, const char **last, bool *missing);
/* Of a file aside; good until the next call. `n`: a content to be; `o`: what was there. */
const char *staged_name(uint32_t number, char prefix);

#endif
