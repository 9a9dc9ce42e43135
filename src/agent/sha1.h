/* The name git gives to a file's content: SHA-1 (FIPS 180-4) of `blob`, its length and its bytes. Here it protects nothing. */
#ifndef SHA1_H
#define SHA1_H

#include "diff_lines.h"

enum { BLOB_NAME = 41 };

/* Forty hexadecimal digits and a NUL. */
void blob_name(struct bytes content, char name[BLOB_NAME]);

#endif
