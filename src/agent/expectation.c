#define _GNU_SOURCE
#include "expectation.h"

#include <errno.h>
#include <fcntl.h>

#include "protocol.h"
#include "refusal.h"

uint64_t changed_at(const struct stat *status) {
  return (uint64_t)status->st_ctim.tv_sec * 1000000000 + (uint64_t)status->st_ctim.tv_nsec;
}

struct expectation expectation_take(struct fields *f) {
  struct expectation e = {.kind = take_u8(f)};
  e.count = take_u8(f);
  if (e.kind > EXPECTS_VERSIONS || e.count > MAX_VERSIONS) f->broken = true, e.count = 0;
  for (size_t i = 0; i < e.count; i++) {
    e.versions[i].inode = take_u64(f);
    e.versions[i].changed_at = take_u64(f);
  }
  return e;
}

static bool is_version(const struct expectation *e, const struct stat *status) {
  for (size_t i = 0; i < e->count; i++)
    if (e->versions[i].inode == status->st_ino && e->versions[i].changed_at == changed_at(status)) return true;
  return false;
}

bool expectation_met(const struct expectation *e, int dir, const char *name, const char *path) {
  struct stat status;
  if (e->kind == EXPECTS_WHATEVER) return true;
  bool there = fstatat(dir, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (!there && errno != ENOENT) return refuse_call(errno, path);
  bool met = e->kind == EXPECTS_NOTHING ? !there : there && (e->kind == EXPECTS_SOMETHING || is_version(e, &status));
  if (met) return true;
  if (!there) refuse("It is not there: %s", path);
  else refuse(e->kind == EXPECTS_NOTHING ? "It is there already: %s" : "It is another version by now: %s", path);
  refusal_reason = FAILED_CHANGED;
  return false;
}
