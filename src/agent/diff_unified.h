/* The unified format (POSIX diff -u) of two texts. */
#ifndef DIFF_UNIFIED_H
#define DIFF_UNIFIED_H

#include "tool.h"

/* What all files of a diff come to. */
struct diff_counts {
  uint64_t added, removed;
  bool different, binary;
};

/* Writes the hunks; none where the texts are the same. False when refused. */
bool unified_write(struct out *o, struct bytes a, struct bytes b, uint32_t context, struct diff_counts *counts);

#endif
