/* A header of a tar archive: POSIX.1-2017, pax, "ustar Interchange Format". */
#ifndef TAR_FORMAT_H
#define TAR_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum {
  TAR_BLOCK = 512,
  TAR_MODE_BITS = 01777,
  /* Of extended headers together, for one entry. */
  MAX_EXTENDED = 256 * 1024,
};

struct tar_header {
  char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[6], version[2], user[32], group[32],
      major[8], minor[8], prefix[155], padding[12];
};

_Static_assert(sizeof(struct tar_header) == TAR_BLOCK, "a header is a block");

/* The sum of its bytes, its own field as spaces. */
unsigned tar_checksum(const struct tar_header *h);

/* Writes what lies in an open directory, and its end, to standard output. False when refused. */
bool tar_pack(int dir);
/* Reads an archive from standard input into an open directory. False when refused. */
bool tar_unpack(int dir);

#endif
