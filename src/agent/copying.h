/* Copies files. */
#ifndef COPYING_H
#define COPYING_H

#include <stdbool.h>
#include <stdint.h>

/* Holes stay holes: no more room is taken than the file has. `bytes` is its size. False when refused; the target is as it was. */
bool copy_file(const char *from, const char *to, bool overwrite, uint64_t *bytes);

#endif
