/* The diff of two files as git writes it, and of two trees. */
#ifndef DIFF_FILES_H
#define DIFF_FILES_H

#include "diff_unified.h"

/* One side of a pair: what has a name there. */
struct version {
  /* As git has it: 100644, 100755, 120000; 0 where there is nothing. */
  uint32_t mode;
  /* Of a link: where it points. */
  struct bytes content;
};

/* All return false when refused. */
bool pair_write(struct out *o, const char *name, struct version a, struct version b, uint32_t context, struct diff_counts *counts);
/* Two texts under their own names, without modes. Where one is none, as `pair_write` under the first. */
bool texts_write(struct out *o, const char *names[2], struct bytes a, struct bytes b, uint32_t context, struct diff_counts *counts);
/* Two open directories. */
bool trees_write(struct out *o, int a, int b, uint32_t context, struct diff_counts *counts);

#endif
