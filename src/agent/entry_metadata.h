/* Metadata of files as E2B's daemon keeps it: extended attributes (xattr(7)) below `user.e2b.`, of printable ASCII. */
#ifndef ENTRY_METADATA_H
#define ENTRY_METADATA_H

#include "tool.h"

/* Their number, and each by name and value; none of what can't be read. */
bool metadata_write(struct out *o, int fd);
/* Takes all away, and sets those of pairs, `name NUL value NUL` each. */
bool metadata_set(int fd, const char *path, struct bytes pairs);

#endif
