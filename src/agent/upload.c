#define _GNU_SOURCE
#include "upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "files.h"
#include "refusal.h"

enum { FILE_MODE = 0644, PERMISSIONS = 07777 };

static bool random_name(char name[32]) {
  uint64_t random;
  if (getrandom(&random, sizeof random, 0) < 0) return false;
  snprintf(name, 32, ".writing-%016llx", (unsigned long long)random);
  return true;
}

/* What is there may be replaced: a file or nothing. Its mode, as far as none was asked for. */
static bool look(const struct upload *u, int *mode) {
  struct stat status;
  bool there = fstatat(u->place.dir, u->place.name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!there && errno != ENOENT) return refuse_call(errno, u->path);
  if (there && !is_file(status.st_mode, u->path)) return false;
  if (*mode == MODE_AS_IT_IS) *mode = there ? (int)(status.st_mode & PERMISSIONS) : FILE_MODE;
  return true;
}

static bool make(struct upload *u, int mode) {
  u->fd = openat(u->place.dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, FILE_MODE);
  if (u->fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) && random_name(u->beside)) {
    u->fd = openat(u->place.dir, u->beside, O_WRONLY | O_CREAT | O_EXCL | SAFE, FILE_MODE);
    if (u->fd < 0) u->beside[0] = 0;
  }
  return (u->fd >= 0 && fchmod(u->fd, (mode_t)mode) == 0) || refuse_call(errno, u->path);
}

/* Told before it has come, where it can be known. */
static bool has_room(const struct upload *u, uint64_t size) {
  struct statvfs disk;
  if (fstatvfs(u->fd, &disk) < 0 || disk.f_blocks == 0 || size / disk.f_frsize <= disk.f_bavail) return true;
  return refuse_call(ENOSPC, u->path);
}

/* Of what is appended, before anything is: it changes then. */
static bool is_expected(const struct upload *u) {
  const struct place *p = u->appends ? &u->appended.place : &u->place;
  return expectation_met(&u->expects, p->dir, p->name, u->path);
}

struct upload *upload_open(const char *path, bool appends, uint64_t size, int mode, struct expectation expects) {
  struct upload *u = allocate(sizeof *u);
  *u = (struct upload){.path = copy_text(path), .appends = appends, .expects = expects, .fd = -1};
  if (appends) {
    if (replacement_open(&u->appended, u->path, true, true)) {
      u->fd = u->appended.fd;
      if (is_expected(u) && (mode == MODE_AS_IT_IS || fchmod(u->fd, (mode_t)mode) == 0 || refuse_call(errno, path)) && has_room(u, size))
        return u;
      replacement_drop(&u->appended);
    }
    free(u->path);
    free(u);
    return NULL;
  }
  if (place_find(&u->place, u->path, true, true) && is_expected(u) && look(u, &mode) && make(u, mode) && has_room(u, size)) return u;
  upload_drop(u);
  return NULL;
}

bool upload_write(struct upload *u, const uint8_t *bytes, size_t length) {
  if (u->appends) return replacement_write(&u->appended, bytes, length);
  while (length > 0) {
    ssize_t wrote = write(u->fd, bytes, length);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return refuse_call(errno, u->path);
    bytes += wrote;
    length -= (size_t)wrote;
  }
  return true;
}

static void free_upload(struct upload *u) {
  free(u->path);
  free(u);
}

/* Gives what has no name one; what is there already keeps it, with EEXIST. */
static int name_it(const struct upload *u, const char *name) {
  if (u->beside[0]) return renameat2(u->place.dir, u->beside, u->place.dir, name, RENAME_NOREPLACE);
  char own[32];
  snprintf(own, sizeof own, "/proc/self/fd/%d", u->fd);
  return linkat(AT_FDCWD, own, u->place.dir, name, AT_SYMLINK_FOLLOW);
}

static bool put(struct upload *u, bool *made) {
  const struct place *p = &u->place;
  if (!is_expected(u)) return false;
  *made = name_it(u, p->name) == 0;
  if (*made) return u->beside[0] = 0, true;
  if (errno != EEXIST) return refuse_call(errno, u->path);
  if (!u->beside[0]) {
    char name[32];
    if (!random_name(name) || name_it(u, name) < 0) return refuse_call(errno, u->path);
    memcpy(u->beside, name, sizeof name);
  }
  if (renameat(p->dir, u->beside, p->dir, p->name) < 0) return refuse_call(errno, u->path);
  u->beside[0] = 0;
  return true;
}

static bool finish(struct upload *u, bool *made) {
  if (!u->appends) return put(u, made);
  *made = u->appended.beside[0] != 0;
  return replacement_finish(&u->appended, u->appended.written);
}

/* Of the file that has been put there, whatever has its name by now. */
bool upload_commit(struct upload *u, bool *made, struct stat *status) {
  int fd = dup(u->fd);
  bool done = finish(u, made);
  if (fd < 0 || fstat(fd, status) < 0) *status = (struct stat){.st_mode = S_IFREG};
  if (fd >= 0) close(fd);
  if (!done && !u->appends) {
    upload_drop(u);
    return false;
  }
  if (!u->appends) {
    close(u->fd);
    place_close(&u->place);
  }
  free_upload(u);
  return done;
}

void upload_drop(struct upload *u) {
  if (u->appends) {
    replacement_drop(&u->appended);
  } else {
    if (u->beside[0]) unlinkat(u->place.dir, u->beside, 0);
    if (u->fd >= 0) close(u->fd);
    place_unmake(&u->place);
    place_close(&u->place);
  }
  free_upload(u);
}
