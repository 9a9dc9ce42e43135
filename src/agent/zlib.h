/* The zlib format (RFC 1950) with what git’s binary patches need of deflate (RFC 1951): any stream is read, one kind is written. */
#ifndef ZLIB_H
#define ZLIB_H

#include "memory.h"
#include "tool.h"

/* Adds the compressed bytes to a buffer. */
void zlib_deflate(struct bytes content, struct buffer *to);
/* Decompresses to exactly `length` bytes, into memory that is the caller’s to free. NULL where that is not what the stream holds. */
uint8_t *zlib_inflate(struct bytes stream, size_t length);

#endif
