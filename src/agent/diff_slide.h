/* Where equal lines surround a group of changed ones, it can be moved; people expect it at a certain place. */
#ifndef DIFF_SLIDE_H
#define DIFF_SLIDE_H

#include "diff_lines.h"

/* Joins groups that can be joined, and puts each beside one of the other side, or else as far down as it goes. */
void lines_slide(struct lines *l, const struct lines *other);

#endif
