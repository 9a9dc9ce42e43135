/* Names of files in patches as git writes them: in double quotes with the escapes of C where they hold what a line can't. */
#ifndef QUOTING_H
#define QUOTING_H

#include "tool.h"

/* Writes a prefix and a name as one. Names that are not UTF-8 are quoted too: the patch is a text. */
bool name_write(struct out *o, const char *prefix, const char *name);
/* Whether `name_write` would quote it. */
bool name_quoted(const char *name);
/* Whether bytes are UTF-8 without a NUL. */
bool is_text(struct bytes b);
/* The length of the UTF-8 character that bytes begin with; 0 where they begin with none. */
size_t character_length(struct bytes b);

#endif
