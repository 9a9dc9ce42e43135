/* Opens what the service may touch and its owner has shut, or lets lie in a place that can change meanwhile. */
#ifndef OPENING_H
#define OPENING_H

#include <fcntl.h>
#include <sys/stat.h>

/*
 * Opens a name in a directory though its mode forbids it: `needed` are the permissions that are added for the moment. -1 with an error
 * number.
 */
int open_anyway(int dir, const char *name, int flags, mode_t needed);
/* A directory by its path below an open one, never through a link; O_PATH. -1 with an error number. */
int open_below(int root, const char *path);

#endif
