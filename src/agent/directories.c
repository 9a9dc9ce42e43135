#define _GNU_SOURCE
#include "directories.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"
#include "protocol.h"

/* Descriptors held at once while a tree is removed; deeper directories are moved up first. */
enum { MAX_HELD = 64, ATTEMPTS = 5, READ_BYTES = 32 * 1024 };

/* getdents64(2) */
struct directory_entry {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

int names_read(int fd, struct names *names) {
  *names = (struct names){0};
  char buffer[READ_BYTES] __attribute__((aligned(8)));
  while (true) {
    long length = syscall(SYS_getdents64, fd, buffer, sizeof buffer);
    if (length < 0) {
      int error = errno;
      names_free(names);
      errno = error;
      return -1;
    }
    if (length == 0) return 0;
    for (long at = 0; at < length;) {
      const struct directory_entry *entry = (const void *)(buffer + at);
      at += entry->length;
      if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
      if (names->count == names->capacity) {
        names->capacity = names->capacity ? 2 * names->capacity : 16;
        names->items = reallocate(names->items, names->capacity * sizeof *names->items);
      }
      names->items[names->count++] = copy_text(entry->name);
    }
  }
}

static int compare(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

void names_sort(struct names *names) {
  if (names->count) qsort(names->items, names->count, sizeof *names->items, compare);
}

void names_free(struct names *names) {
  for (size_t i = 0; i < names->count; i++) free(names->items[i]);
  free(names->items);
  *names = (struct names){0};
}

static uint8_t type_of(mode_t mode) {
  if (S_ISREG(mode)) return TYPE_FILE;
  if (S_ISDIR(mode)) return TYPE_DIRECTORY;
  return S_ISLNK(mode) ? TYPE_SYMLINK : TYPE_OTHER;
}

int entry_read(int fd, const char *name, struct entry *entry) {
  struct stat status;
  if (fstatat(fd, name, &status, AT_SYMLINK_NOFOLLOW | (*name ? 0 : AT_EMPTY_PATH)) < 0) return -1;
  int64_t milliseconds;
  /* Programs set what times they like. */
  if (__builtin_mul_overflow((int64_t)status.st_mtim.tv_sec, 1000, &milliseconds))
    milliseconds = status.st_mtim.tv_sec < 0 ? INT64_MIN : INT64_MAX;
  else if (milliseconds < INT64_MAX - 1000)
    milliseconds += status.st_mtim.tv_nsec / 1000000;
  *entry = (struct entry){
      .type = type_of(status.st_mode),
      .size = (uint64_t)status.st_size,
      .inode = status.st_ino,
      .modified_at = (uint64_t)milliseconds,
  };
  return 0;
}

int open_directory(int dir, const char *name) {
  return openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
}

/* Opens a directory whose content is to go, also one that its owner has shut. */
static int enter(int dir, const char *name) {
  if (fchmodat(dir, name, 0700, 0) < 0) {
    /* Another user's, which may be open all the same. */
  }
  return open_directory(dir, name);
}

static int close_with(int fd, int result) {
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

/* The top of a tree that is being removed, and what was moved up to it. */
struct removal {
  int top;
  struct names strays;
};

static int remove_in(struct removal *r, int dir, int depth);

static int remove_tree(struct removal *r, int dir, const char *name, int depth) {
  for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
    int fd = enter(dir, name);
    if (fd < 0) return errno == ENOENT ? 0 : -1;
    if (close_with(fd, remove_in(r, fd, depth + 1)) < 0) return -1;
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return 0;
  }
  return -1;
}

static int move_up(struct removal *r, int dir, const char *name) {
  uint64_t random[2];
  if (getrandom(random, sizeof random, 0) < 0) return -1;
  char to[64];
  snprintf(to, sizeof to, ".removing-%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
  if (renameat2(dir, name, r->top, to, RENAME_NOREPLACE) < 0) return -1;
  struct names *strays = &r->strays;
  if (strays->count == strays->capacity) {
    strays->capacity = strays->capacity ? 2 * strays->capacity : 16;
    strays->items = reallocate(strays->items, strays->capacity * sizeof *strays->items);
  }
  strays->items[strays->count++] = copy_text(to);
  return 0;
}

static int remove_in(struct removal *r, int dir, int depth) {
  struct names names;
  if (names_read(dir, &names) < 0) return -1;
  int result = 0;
  for (size_t i = 0; i < names.count && result == 0; i++) {
    const char *name = names.items[i];
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT) continue;
    if (errno != EISDIR) result = -1;
    else result = depth >= MAX_HELD ? move_up(r, dir, name) : remove_tree(r, dir, name, depth);
  }
  int error = errno;
  names_free(&names);
  errno = error;
  return result;
}

int directory_empty(int fd) {
  struct removal r = {.top = fd};
  int result = remove_in(&r, fd, 1);
  while (result == 0 && r.strays.count > 0) {
    char *name = r.strays.items[--r.strays.count];
    result = remove_tree(&r, fd, name, 1);
    free(name);
  }
  int error = errno;
  names_free(&r.strays);
  errno = error;
  return result;
}

int directory_remove(int dir, const char *name) {
  int fd = enter(dir, name);
  if (fd < 0) return -1;
  if (close_with(fd, directory_empty(fd)) < 0) return -1;
  return unlinkat(dir, name, AT_REMOVEDIR);
}
