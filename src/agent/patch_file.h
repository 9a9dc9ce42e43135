/* One file of a patch, applied to the tree that is written aside. */
#ifndef PATCH_FILE_H
#define PATCH_FILE_H

#include "patch_hunks.h"
#include "patch_tree.h"

enum action { CREATED, MODIFIED, DELETED, RENAMED };

struct file_result {
  const char *name;
  enum action action;
  struct applied applied;
};

/* Looks at all names of a patch before the first is applied. Both return false when refused. */
bool files_prepare(struct patch *p);
bool file_apply(struct file_patch *f, bool reverse, struct file_result *result);

#endif
