/* Small files of the kernel's. */
#ifndef PROC_H
#define PROC_H

#include <stddef.h>

/* Ends the process where the last call failed for want of descriptors or memory: what can't be looked at must not count as nothing. */
void die_of_want(void);
/* The beginning of a file, terminated; its length, or -1 with errno when it can't be read, for want of descriptors or memory too. */
long file_peek(const char *path, char *text, size_t most);
/* The same; -1 is for no want of those. */
long file_read(const char *path, char *text, size_t most);
/* The same of one that is read often: `fd` is NOT_OPEN at first, and then the file, which stays open. */
enum { NOT_OPEN = -1 };
long file_read_again(const char *path, int *fd, char *text, size_t most);
/* Writes a file in one piece; 0, or -1 with errno. */
int file_write(const char *path, const char *text);

#endif
