/* What is done with names: directories are made, and what has a name is moved and removed. All are false when refused. */
#ifndef NAMING_H
#define NAMING_H

#include <stdbool.h>
#include <stdint.h>

#include "expectation.h"

/* `created`: 1 where it was not there. */
bool directory_make(const char *path, bool recursive, uint64_t *created);
/* `bytes`: of a file. */
bool name_move(const char *from, const char *to, bool overwrite, uint64_t *bytes);
bool name_remove(const char *path, bool recursive, const struct expectation *expects);
/* Removes everything below the root. */
bool root_empty(void);

#endif
