/* Finds where the hunks of a patch fit a text, as GNU patch does: elsewhere than they say, or with fewer lines around them. */
#ifndef PATCH_HUNKS_H
#define PATCH_HUNKS_H

#include "patch_parse.h"
#include "tool.h"

/* What the hunks of one file came to. */
struct applied {
  uint32_t added, removed;
  /* Lines that the hunk which fitted farthest off lies below where it says, negative: above. */
  int64_t offset;
  /* Lines of context left out, of the hunk that needed most. */
  uint32_t fuzz;
};

/* How the lines of hunks are read. */
struct reading {
  /* Added ones are those that go. */
  bool reverse;
  /* A carriage return before a newline is the patch’s own and not its lines’. */
  bool drops_carriage;
};

/* Writes the text with all hunks applied. False when refused, with hunk and line. */
bool hunks_apply(const struct file_patch *f, struct reading reading, struct bytes text, struct out *o, struct applied *applied);

#endif
