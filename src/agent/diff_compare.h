/*
 * Which lines of two texts are not common to both: E. Myers, An O(ND) Difference Algorithm (1986), in linear space. What is spent
 * is bounded whatever the texts are: past a cost a box is cut where both ends came furthest, and past a number of steps it counts as
 * different as a whole.
 */
#ifndef DIFF_COMPARE_H
#define DIFF_COMPARE_H

#include "diff_lines.h"

/* Sets `changed` of lines that have been cut. */
void lines_compare(struct lines *a, struct lines *b);

#endif
