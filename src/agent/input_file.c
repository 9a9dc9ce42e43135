#define _GNU_SOURCE
#include "input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* memfd_create(2), since Linux 6.3. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

struct waiting {
  struct waiting *next;
  uint32_t channel;
  int fd;
};

static struct waiting *all;

int input_file_make(void) {
  const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = memfd_create("stdin", flags | MFD_NOEXEC_SEAL);
  return fd < 0 && errno == EINVAL ? memfd_create("stdin", flags) : fd;
}

int input_file_reader(int fd) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, O_RDONLY | O_CLOEXEC);
}

bool input_file_write(int fd, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t wrote = write(fd, bytes, length);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return false;
    bytes += wrote;
    length -= (size_t)wrote;
  }
  return true;
}

void input_file_seal(int fd) {
  if (fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0) {
    /* Programs can only read it all the same, unless they open it anew. */
  }
}

static struct waiting **find(uint32_t channel) {
  struct waiting **at = &all;
  while (*at && (*at)->channel != channel) at = &(*at)->next;
  return at;
}

static struct waiting *add(uint32_t channel) {
  struct waiting *w = allocate(sizeof *w);
  *w = (struct waiting){.next = all, .channel = channel, .fd = input_file_make()};
  return all = w;
}

void input_files_take(uint32_t channel, const struct fields *f) {
  struct waiting *found = *find(channel);
  struct waiting *w = found ? found : add(channel);
  if (f->left == 0) return w->fd >= 0 ? input_file_seal(w->fd) : (void)0;
  if (w->fd < 0 || input_file_write(w->fd, f->at, f->left)) return;
  /* Its program is refused. */
  close(w->fd);
  w->fd = -1;
}

int input_files_give(uint32_t channel) {
  struct waiting **at = find(channel), *w = *at;
  if (!w) return -1;
  int fd = w->fd;
  *at = w->next;
  free(w);
  return fd;
}
