/* Whether a disk that programs can write is full, told to the service as it changes: it then knows when it hears of a program's end. */
#ifndef DISK_H
#define DISK_H

#include "frames.h"

/* /tmp is a disk of its own in containers. */
void disk_open(const char *root);
void disk_tell(struct outbox *o);

#endif
