/* Content of files without their holes: which parts there are, and copying them. */
#ifndef PARTS_H
#define PARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes between two holes of a file, or between a hole and its end. */
struct part {
  uint64_t from, to;
};

/* The first part at or after `at`; false where only a hole is left. A file system without holes has one part. */
bool part_next(int fd, uint64_t at, uint64_t size, struct part *part);
/*
 * Copies bytes from one file to another; a disk that can shares them. What the source no longer has is left out. False with an error
 * number.
 */
bool part_copy(int from, uint64_t from_at, int to, uint64_t to_at, uint64_t length);
/* Writes all of the bytes at a place of a file. False with an error number. */
bool write_at(int fd, const uint8_t *bytes, size_t length, uint64_t at);
/* All content of a file into an empty one, holes as holes. False with an error number. */
bool parts_copy(int from, int to, uint64_t size);

#endif
