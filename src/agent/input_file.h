/*
 * A standard input that came whole: memory, sealed once all of it is there, which programs see as a regular file they can only read.
 * It is charged to the sandbox, and belongs to none of its disks.
 */
#ifndef INPUT_FILE_H
#define INPUT_FILE_H

#include "frames.h"

/* An empty one, to be written; -1 with errno. */
int input_file_make(void);
/* A description of its own, at the beginning, to be read; -1 with errno. */
int input_file_reader(int fd);
/* False with errno. */
bool input_file_write(int fd, const uint8_t *bytes, size_t length);
/* Nobody writes to it any more. */
void input_file_seal(int fd);

/* The same for a program that has not started yet: bytes on its channel, none when all are there. */
void input_files_take(uint32_t channel, const struct fields *f);
/* The file of a channel, the caller's from now on; -1 where none has come. */
int input_files_give(uint32_t channel);

#endif
