/* A file’s bytes as git’s binary patches have them: compressed, and 52 bytes a line in base 85. */
#ifndef BINARY_PATCH_H
#define BINARY_PATCH_H

#include "memory.h"
#include "tool.h"

/* Writes `literal` with the content and the empty line that ends it. */
bool literal_write(struct out *o, struct bytes content);
/* Adds the bytes of one line, without its newline, to a buffer. False where it is none. */
bool base85_line(struct bytes line, struct buffer *to);

#endif
