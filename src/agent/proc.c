#define _GNU_SOURCE
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"

void die_of_want(void) {
  if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) die_errno("opening a file");
}

long file_peek(const char *path, char *text, size_t most) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t length = read(fd, text, most - 1);
  int error = errno;
  close(fd);
  errno = error;
  if (length < 0) return -1;
  text[length] = 0;
  return length;
}

long file_read(const char *path, char *text, size_t most) {
  long length = file_peek(path, text, most);
  if (length < 0) die_of_want();
  return length;
}

long file_read_again(const char *path, int *fd, char *text, size_t most) {
  if (*fd < 0) *fd = open(path, O_RDONLY | O_CLOEXEC);
  if (*fd < 0) return die_of_want(), -1;
  ssize_t length = pread(*fd, text, most - 1, 0);
  if (length < 0) return -1;
  text[length] = 0;
  return length;
}

int file_write(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t wrote = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return wrote < 0 ? -1 : 0;
}
