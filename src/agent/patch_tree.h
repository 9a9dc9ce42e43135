/*
 * The files that a patch touches: what they were, and what they will be. All of it is written aside first and then put into its place
 * at once, by renaming; a failure in between, or the wish to stop, puts everything back.
 */
#ifndef PATCH_TREE_H
#define PATCH_TREE_H

#include <sys/stat.h>

#include "tool.h"

enum { LINK_MODE = 0120000, FILE_MODE = 0100000, KIND_BITS = 0170000, NOT_STAGED = UINT32_MAX };

/* What a name stands for; `mode` 0: nothing. */
struct version_of {
  /* Kind and permissions, as of stat(2). */
  uint32_t mode;
  /* The number of its content among what was written aside; NOT_STAGED: what is in its place. */
  uint32_t staged;
};

struct entry_of {
  /* Below the target. */
  char *name;
  struct version_of now, then;
  /* As it is found in its place. */
  struct stat status;
  /* A patch of the set takes the name away. */
  bool goes;
  /* One has changed what is there; or has put another file there. */
  bool edited, replaced;
  /* How many patches of the set are yet to read it. */
  uint32_t readers;
};

/*
 * `base`: the target, open. `aside`: a directory to be made for what is written aside, on the same disk; with `dry` only what is read
 * again is kept, and nothing is put into its place.
 */
void tree_open(int base, const char *aside, bool dry);
/* The entry of a name, read when it is first asked for. NULL when refused: its way leads through a link, or it can’t be looked at. */
struct entry_of *tree_entry(const char *name);
/* The content of a version of an entry; to be given back. A link’s is where it points. */
bool tree_content(const struct entry_of *e, struct version_of version, struct bytes *content);
/* Begins a version’s content; `tree_end` gives it to the entry. */
bool tree_begin(struct out *o, const struct entry_of *e);
bool tree_end(struct out *o, struct entry_of *e, uint32_t mode);
/* Begins again. */
void tree_again(struct out *o);
/* Whether a directory is there that is empty once all has gone that goes. */
bool tree_vanishes(const struct entry_of *e);
void tree_remove(struct entry_of *e);
/* Puts all into its place, or nothing. */
bool tree_commit(void);
/*
 * Undoes what one has done that was killed in the middle of it; what it wrote aside stays. `aside` is its directory. `was_done`: it had
 * put all into its place, which stays.
 */
bool tree_recover(int base, const char *aside, bool *was_done);
/* Removes what was written aside. */
void tree_close(void);

#endif
