/*
 * File operations below the root with the sandbox's own rights. Only regular files are read and written; a link is followed as
 * long as it stays inside; nothing a program plants there can make an operation block.
 */
#ifndef FILES_H
#define FILES_H

#include <fcntl.h>
#include <sys/types.h>

#include "frames.h"

/* Flags that never block, whatever lies there, and never gain a terminal. */
enum { SAFE = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };

void files_request(struct outbox *o, uint32_t channel, struct fields *f);
/* Bytes of a write; none end it. What follows a failure is dropped. */
void files_data(struct outbox *o, uint32_t channel, const struct fields *f);
/* Begins or ends a chain of requests, of which none is done after one that has failed. */
void files_chain(struct fields *f);
/* Sends as much of the answers under way as the stream takes. */
void files_advance(struct outbox *o);
bool files_answering(void);
/* Says why not where it is none. */
bool is_file(mode_t mode, const char *path);
/* Opens a regular file to be read; -1 when refused. */
int files_open(const char *path);
/* Opens a directory for a program to start in; -1 when refused. */
int files_open_directory(const char *path);

#endif
