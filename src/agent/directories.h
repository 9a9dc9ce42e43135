/* What lies in directories: names, types, whole trees. Nothing here follows a link. */
#ifndef DIRECTORIES_H
#define DIRECTORIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names in a directory, without `.` and `..`. */
struct names {
  char **items;
  size_t count, capacity;
};

struct entry {
  uint8_t type;
  uint64_t size;
  uint64_t inode;
  /* Milliseconds since 1970, as a signed number's bits. */
  uint64_t modified_at;
};

/* All return 0, or -1 with errno. */
int names_read(int fd, struct names *names);
void names_sort(struct names *names);
void names_free(struct names *names);
/* What a name in a directory is; of the descriptor itself where `name` is empty. */
int entry_read(int fd, const char *name, struct entry *entry);
int open_directory(int dir, const char *name);
/* Removes everything in an open directory, however deep it is; what a program removes meanwhile is no failure. */
int directory_empty(int fd);
int directory_remove(int dir, const char *name);

#endif
