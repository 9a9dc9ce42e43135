#define _GNU_SOURCE
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "figures.h"
#include "memory.h"
#include "proc.h"

enum { FIELDS = 6, MOVE_MOUNT_EMPTY_PATH = 4, RECURSIVE = 0x8000 };

/* mount_setattr(2) */
struct attributes {
  unsigned long long set, clear, propagation, user_namespace;
};

char *read_whole(const char *path, size_t *length) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) < 0) die("reading %s failed (errno %d)", path, errno);
  char *text = allocate((size_t)status.st_size + 1);
  *length = 0;
  for (ssize_t got; (got = read(fd, text + *length, (size_t)status.st_size - *length)) > 0;) *length += (size_t)got;
  close(fd);
  text[*length] = 0;
  return text;
}

struct plan plan_read(const char *path) {
  size_t length, ends = 0;
  char *text = read_whole(path, &length);
  for (size_t i = 0; i < length; i++) ends += text[i] == 0;
  if (ends == 0 || ends % FIELDS != 0 || text[length - 1] != 0) die("%s is no plan", path);
  struct plan plan = {.steps = allocate(ends / FIELDS * sizeof(struct step)), .count = ends / FIELDS};
  for (size_t i = 0; i < plan.count; i++) {
    const char *fields[FIELDS];
    for (size_t k = 0; k < FIELDS; k++) {
      fields[k] = text;
      text += strlen(text) + 1;
    }
    plan.steps[i] = (struct step){fields[0], fields[1], fields[2], fields[3], fields[5], strtoul(fields[4], NULL, 10)};
  }
  return plan;
}

long set_mount_flags(int directory, const char *path, int how, unsigned long flags) {
  const struct attributes attributes = {.set = flags};
  return syscall(SYS_mount_setattr, directory, path, how, &attributes, sizeof attributes);
}

static long take(const struct step *s, struct taking how) {
  bool at_home = strcmp(s->action, "home") == 0;
  if (at_home && !how.home) return 0;
  if (at_home || strcmp(s->action, "mount") == 0)
    return mount(s->source, s->target, *s->type ? s->type : NULL, s->flags, *s->data ? s->data : NULL);
  if (strcmp(s->action, "flags") == 0) return set_mount_flags(AT_FDCWD, s->target, *s->data ? RECURSIVE : 0, s->flags);
  if (strcmp(s->action, "disk") == 0)
    return syscall(SYS_move_mount, how.disk, "", AT_FDCWD, s->target, MOVE_MOUNT_EMPTY_PATH);
  if (strcmp(s->action, "directory") == 0) return mkdir(s->target, 0755) < 0 && errno != EEXIST ? -1 : 0;
  if (strcmp(s->action, "file") == 0) {
    int fd = open(s->target, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : close(fd);
  }
  /* A setting that this kernel does not have, or nobody may write. */
  if (strcmp(s->action, "set") == 0) return how.is_set ? 0 : (file_write(s->target, s->data), 0);
  /* Of a disk, and made with it; or left already. */
  if (strcmp(s->action, "part") == 0 || strcmp(s->action, "leave") == 0) return 0;
  if (strcmp(s->action, "figures") == 0) return figures_make(s->target);
  errno = EINVAL;
  return -1;
}

void plan_take(const struct plan *plan, struct taking how) {
  for (size_t i = 0; i < plan->count; i++) {
    const struct step *s = &plan->steps[i];
    if (take(s, how) < 0) die("%s %s failed (errno %d)", s->action, s->target, errno);
  }
}

void plan_leave(const struct plan *plan) {
  for (size_t i = 0; i < plan->count; i++) {
    const struct step *s = &plan->steps[i];
    if (strcmp(s->action, "leave") == 0 && umount2(s->target, MNT_DETACH) < 0) die("leaving %s failed (errno %d)", s->target, errno);
  }
}
