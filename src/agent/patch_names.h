/* Names of files as patches have them. All give memory that is the caller’s to free. */
#ifndef PATCH_NAMES_H
#define PATCH_NAMES_H

#include "diff_lines.h"

/* The two names of `diff --git`, which must be the same once stripped; NULL where they are not. */
char *name_of_both(struct bytes words, uint32_t strip);
/*
 * The name that a line begins with, up to a tab, or in quotes; then without its first `strip` directories. NULL, and refused, where it
 * is none that may be touched: one that is absolute, has `..` or nothing left, or is too long. `/dev/null` is given as it is.
 */
char *name_read(struct bytes words, uint32_t strip);

#endif
