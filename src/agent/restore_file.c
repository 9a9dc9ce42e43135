#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kept_tree.h"
#include "memory.h"
#include "opening.h"
#include "refusal.h"

enum {
  CHUNK_BYTES = 128 * 1024,
  MODE_BITS = 07777,
};

/* A file whose content is being put back. It is opened to be written once something differs: a program that runs can't be. */
struct target {
  int dir;
  const char *name;
  int fd, writer;
};

static bool may_write(struct target *f) {
  if (f->writer < 0) f->writer = open_anyway(f->dir, f->name, O_RDWR, S_IRUSR | S_IWUSR);
  return f->writer >= 0 || refuse_call(errno, f->name);
}

static bool punch(int fd, uint64_t from, uint64_t to) {
  return from >= to || fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)) == 0;
}

/* What lies where there was nothing. */
static bool restore_hole(struct target *f, uint64_t from, uint64_t to) {
  struct part part;
  if (!part_next(f->fd, from, to, &part)) return true;
  return may_write(f) && (punch(f->writer, from, to) || refuse_call(errno, f->name));
}

/* So many bytes, or as many as there are. */
static ssize_t read_at(int fd, uint8_t *bytes, size_t length, uint64_t at) {
  size_t count = 0;
  while (count < length) {
    ssize_t got = pread(fd, bytes + count, length - count, (off_t)(at + count));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -1;
    if (got == 0) break;
    count += (size_t)got;
  }
  return (ssize_t)count;
}

static bool restore_chunk(const struct kept_tree *t, struct target *f, uint64_t at, uint64_t kept_at, size_t length) {
  static uint8_t kept[CHUNK_BYTES], there[CHUNK_BYTES];
  if (read_at(t->content, kept, length, kept_at) != (ssize_t)length) return refuse("What was kept can’t be read: %s", f->name);
  ssize_t got = read_at(f->fd, there, length, at);
  if (got == (ssize_t)length && memcmp(kept, there, length) == 0) return true;
  return may_write(f) && (write_at(f->writer, kept, length, at) || refuse_call(errno, f->name));
}

static bool restore_part(const struct kept_tree *t, struct target *f, const struct kept_part *p) {
  for (uint64_t done = 0, length = p->part.to - p->part.from; done < length;) {
    size_t chunk = (size_t)MIN(length - done, (uint64_t)CHUNK_BYTES);
    if (!restore_chunk(t, f, p->part.from + done, p->at + done, chunk)) return false;
    /* It makes room for what follows, where the disk is full. */
    if (!punch(t->content, p->at + done, p->at + done + chunk) && errno != EOPNOTSUPP) return refuse_call(errno, f->name);
    done += chunk;
    t->breathe();
  }
  return true;
}

static bool restore_size(struct target *f, uint64_t size) {
  struct stat status;
  if (fstat(f->fd, &status) < 0) return refuse_call(errno, f->name);
  if ((uint64_t)status.st_size == size) return true;
  return may_write(f) && (ftruncate(f->writer, (off_t)size) == 0 || refuse_call(errno, f->name));
}

static bool restore_content(const struct kept_tree *t, struct target *f, const struct kept_inode *k) {
  uint64_t end = 0;
  if (!restore_size(f, k->size)) return false;
  for (uint32_t i = 0; i < k->part_count; i++) {
    const struct kept_part *p = &t->parts[k->first_part + i];
    if (!restore_hole(f, end, p->part.from) || !restore_part(t, f, p)) return false;
    end = p->part.to;
  }
  return restore_hole(f, end, k->size);
}

bool kept_file_restore(struct kept_tree *t, int dir, const char *name, struct kept_inode *k) {
  struct target f = {.dir = dir, .name = name, .writer = -1};
  f.fd = open_anyway(dir, name, O_RDONLY | O_NOATIME, S_IRUSR);
  if (f.fd < 0) return refuse_call(errno, name);
  bool restored = restore_content(t, &f, k);
  if (restored) restored = (fchmod(f.fd, k->mode & MODE_BITS) == 0 && futimens(f.fd, k->times) == 0) || refuse_call(errno, name);
  if (f.writer >= 0) close(f.writer);
  close(f.fd);
  return restored;
}

bool kept_file_shrink(const struct kept_tree *t, int dir, const char *name, const struct kept_inode *k, const struct stat *status) {
  bool longer = (uint64_t)status->st_size > k->size;
  if (!longer && (uint64_t)status->st_blocks <= k->blocks) return true;
  int fd = open_anyway(dir, name, O_WRONLY, S_IWUSR);
  /* A program that runs, and so has not grown. */
  if (fd < 0) return errno == ETXTBSY || refuse_call(errno, name);
  bool shrunk = !longer || ftruncate(fd, (off_t)k->size) == 0;
  uint64_t end = 0;
  for (uint32_t i = 0; shrunk && i < k->part_count; i++) {
    const struct kept_part *p = &t->parts[k->first_part + i];
    shrunk = punch(fd, end, p->part.from);
    end = p->part.to;
  }
  if (shrunk) shrunk = punch(fd, end, k->size);
  int error = errno;
  close(fd);
  return shrunk || refuse_call(error, name);
}
