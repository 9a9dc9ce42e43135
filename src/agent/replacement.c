#define _GNU_SOURCE
#include "replacement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "refusal.h"

enum {
  FILE_MODE = 0644,
  PERMISSIONS = 07777,
  /* Reserved of one write at most; no message is larger. */
  MOST_RESERVED = 64 * 1024 * 1024,
};

static bool make_beside(struct replacement *r, const struct stat *old) {
  uint64_t random;
  if (getrandom(&random, sizeof random, 0) < 0) return false;
  snprintf(r->beside, sizeof r->beside, ".writing-%016llx", (unsigned long long)random);
  r->fd = openat(r->place.dir, r->beside, O_WRONLY | O_CREAT | O_EXCL | SAFE, FILE_MODE);
  if (r->fd >= 0 && (!old || fchmod(r->fd, old->st_mode & PERMISSIONS) == 0)) return true;
  int error = errno;
  if (r->fd >= 0) {
    close(r->fd);
    unlinkat(r->place.dir, r->beside, 0);
  }
  r->beside[0] = 0;
  errno = error;
  return false;
}

/* 1: it is there; 0: nothing is; -1: refused. */
static int look(struct replacement *r, struct stat *status) {
  const struct place *p = &r->place;
  if (!r->overwrites && fstatat(p->dir, p->name, status, AT_SYMLINK_NOFOLLOW) == 0) return refuse_call(EEXIST, r->path), -1;
  r->old = openat(p->dir, p->name, O_WRONLY | SAFE | (r->appends ? O_APPEND : 0));
  if (r->old < 0 && errno == ENOENT) return 0;
  /* A program that runs can't be written, but another can take its name. */
  bool runs = r->old < 0 && errno == ETXTBSY && !r->appends;
  if (r->old < 0 && !runs) return refuse_call(errno, r->path), -1;
  int got = runs ? fstatat(p->dir, p->name, status, AT_SYMLINK_NOFOLLOW) : fstat(r->old, status);
  if (got < 0) return refuse_call(errno, r->path), -1;
  if (!is_file(status->st_mode, r->path)) return -1;
  r->old_size = (uint64_t)status->st_size;
  return 1;
}

/* Before the file itself is written. */
static bool keep(const struct replacement *r) {
  return r->appends ? undo_grow(&r->undo, r->place.name, r->old) : undo_change(&r->undo, r->place.dir, r->place.name);
}

bool replacement_open(struct replacement *r, const char *path, bool overwrites, bool appends) {
  *r = (struct replacement){.path = path, .fd = -1, .old = -1, .overwrites = overwrites, .appends = appends};
  struct stat status;
  bool found = place_find(&r->place, path, true, true) && undo_enter(&r->undo, r->place.dir);
  int there = found ? look(r, &status) : -1;
  bool opened = there >= 0;
  bool in_place = there > 0 && r->old >= 0 && (appends || status.st_nlink > 1);
  if (opened && !in_place && !make_beside(r, there ? &status : NULL)) {
    in_place = r->old >= 0;
    if (!in_place) opened = refuse_call(errno, path);
  }
  /* Appending is to what is there. */
  if (there == 0) r->appends = false;
  if (in_place) {
    opened = opened && keep(r);
    r->fd = opened ? r->old : -1;
  }
  if (!opened) replacement_drop(r);
  return opened;
}

bool replacement_reserve_part(const struct replacement *r, uint64_t at, uint64_t bytes) {
  if (bytes == 0 || fallocate(r->fd, FALLOC_FL_KEEP_SIZE, (off_t)at, (off_t)bytes) == 0) return true;
  /* Then what is written says whether there is room. */
  return errno == EOPNOTSUPP || errno == ENOSYS;
}

bool replacement_go_in_place(struct replacement *r) {
  if (!r->beside[0] || r->old < 0) return false;
  close(r->fd);
  unlinkat(r->place.dir, r->beside, 0);
  r->beside[0] = 0;
  r->fd = keep(r) ? r->old : -1;
  errno = ENOSPC;
  return r->fd >= 0;
}

bool replacement_reserve(struct replacement *r, uint64_t bytes) {
  uint64_t at = r->appends ? r->old_size : 0, most = MIN(bytes, (uint64_t)MOST_RESERVED);
  do {
    if (replacement_reserve_part(r, at, most)) return true;
  } while (errno == ENOSPC && replacement_go_in_place(r));
  return refuse_call(errno, r->path);
}

bool replacement_write(struct replacement *r, const uint8_t *bytes, size_t length) {
  while (length > 0) {
    ssize_t wrote = write(r->fd, bytes, length);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return refuse_call(errno, r->path);
    bytes += wrote;
    length -= (size_t)wrote;
    r->written += (uint64_t)wrote;
  }
  return true;
}

static void close_all(struct replacement *r) {
  if (r->old >= 0) close(r->old);
  if (r->fd >= 0 && r->fd != r->old) close(r->fd);
  undo_leave(&r->undo);
  place_close(&r->place);
}

static bool put(const struct replacement *r) {
  const struct place *p = &r->place;
  if (!undo_put(&r->undo, p->dir, p->name)) return false;
  return renameat2(p->dir, r->beside, p->dir, p->name, r->overwrites ? 0 : RENAME_NOREPLACE) == 0 || refuse_call(errno, r->path);
}

bool replacement_finish(struct replacement *r, uint64_t size) {
  bool done = r->appends || ftruncate(r->fd, (off_t)size) == 0 || refuse_call(errno, r->path);
  if (done && r->beside[0]) done = put(r);
  if (!done) {
    replacement_drop(r);
    return false;
  }
  close_all(r);
  return true;
}

/* What was reserved beyond the end goes, and what was appended, unless a program has appended too. */
static void give_back(const struct replacement *r) {
  struct stat status;
  if (fstat(r->fd, &status) < 0 || (uint64_t)status.st_size != r->old_size + (r->appends ? r->written : 0)) return;
  if (ftruncate(r->fd, (off_t)r->old_size) < 0) {
    /* It keeps the room. */
  }
}

void replacement_drop(struct replacement *r) {
  if (r->beside[0]) unlinkat(r->place.dir, r->beside, 0);
  else if (r->fd >= 0) give_back(r);
  place_unmake(&r->place);
  close_all(r);
}
