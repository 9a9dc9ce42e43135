/* The content that a binary patch makes. */
#ifndef PATCH_BINARY_H
#define PATCH_BINARY_H

#include "patch_parse.h"

/* From the content before; memory that is the caller’s to free. False when refused. */
bool binary_apply(const struct binary *b, struct bytes before, struct bytes *after);

#endif
