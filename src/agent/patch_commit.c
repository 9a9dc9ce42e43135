#define _GNU_SOURCE
#include "patch_commit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "refusal.h"

enum { DIRECTORY_MODE = 0755, MAX_TEXT_OF_REFUSAL = 8192 };
enum { MAX_JOURNAL = 256 * 1024 * 1024 };
/* The journal under its second name says that all was done. */
#define JOURNAL "journal"
#define DONE "done"

/* BEGAN is none of a file: `inode` is the target's. */
enum deed { TOOK, CLEARED, MADE_DIRECTORY, PUT, EXCHANGED, BEGAN };

/* What was done, so that it can be undone from the last on. */
struct step {
  enum deed deed;
  uint32_t number;
  /* Of a directory: its path below the target, to be freed, and what it was. */
  char *path;
  mode_t mode;
};

static struct step *steps;
static size_t step_count;
static volatile sig_atomic_t asked_to_stop;

static void on_stop(int signal) {
  (void)signal;
  asked_to_stop = 1;
}

static void log_step(struct step step) {
  if ((step_count & (step_count - 1)) == 0) steps = reallocate(steps, (step_count ? 2 * step_count : 1) * sizeof *steps);
  steps[step_count++] = step;
}

/*
 * What is about to be done, in a file aside, for whoever undoes it if this is killed in the middle: `deed, inode, mode` as text, a path
 * below the target and a name aside, each with a NUL.
 */
static int journal = -1;

static bool announce(enum deed deed, uint64_t inode, mode_t mode, const char *path, const char *aside);

static bool open_journal(void) {
  struct stat base;
  journal = openat(tree.aside, JOURNAL, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
  if (journal < 0 || fstat(tree.base, &base) < 0) return errno == ENOSPC ? refuse("No space left in the sandbox") : refuse_call(errno, JOURNAL);
  return announce(BEGAN, base.st_ino, 0, "", "");
}

static bool announce(enum deed deed, uint64_t inode, mode_t mode, const char *path, const char *aside) {
  char head[64];
  snprintf(head, sizeof head, "%d %llu %o", (int)deed, (unsigned long long)inode, (unsigned)mode);
  struct out out = {.fd = journal, .most = UINT64_MAX};
  bool written = out_bytes(&out, head, strlen(head) + 1) && out_bytes(&out, path, strlen(path) + 1) && out_bytes(&out, aside, strlen(aside) + 1) &&
                 out_flush(&out);
  out_free(&out);
  return written;
}

static bool changes(const struct entry_of *e) { return e->now.mode != e->then.mode || e->now.staged != e->then.staged; }

static char *parent_of(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? strndup(path, (size_t)(slash - path)) : NULL;
}

/* Opens the directory of an entry. -1, refused, where it is gone or a link meanwhile. */
static int open_parent(const char *name, const char **last) {
  bool missing;
  int dir = tree_parent(name, last, &missing);
  if (dir < 0) refuse("Changed while it was used: %s", name);
  return dir;
}

static bool unchanged(int dir, const char *name, const struct stat *was) {
  struct stat is;
  if (fstatat(dir, name, &is, AT_SYMLINK_NOFOLLOW) < 0) return false;
  return is.st_ino == was->st_ino && is.st_size == was->st_size && is.st_mtim.tv_sec == was->st_mtim.tv_sec &&
         is.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static bool take_away(uint32_t i) {
  const struct entry_of *e = tree.entries[i];
  const char *last = NULL;
  int dir = open_parent(e->name, &last);
  if (dir < 0) return false;
  bool done = unchanged(dir, last, &e->status) || refuse("Changed while it was used: %s", e->name);
  done = done && announce(TOOK, 0, 0, e->name, staged_name(i, 'o'));
  if (done && renameat(dir, last, tree.aside, staged_name(i, 'o')) < 0) done = refuse_call(errno, e->name);
  if (done) log_step((struct step){.deed = TOOK, .number = i});
  close(dir);
  return done;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* Names that something is put under, sorted. */
struct coming {
  const char **names;
  size_t count;
};

static struct coming what_comes(void) {
  struct coming c = {.names = allocate(tree.count * sizeof *c.names)};
  for (size_t i = 0; i < tree.count; i++)
    if (changes(tree.entries[i]) && tree.entries[i]->then.mode) c.names[c.count++] = tree.entries[i]->name;
  if (c.count) qsort(c.names, c.count, sizeof *c.names, by_name);
  return c;
}

/* Whether something comes into a directory or one below it. */
static bool comes_into(const struct coming *c, const char *directory) {
  size_t length = strlen(directory), low = 0, high = c->count;
  char *prefix = allocate(length + 2);
  memcpy(prefix, directory, length);
  memcpy(prefix + length, "/", 2);
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(c->names[middle], prefix) < 0) low = middle + 1;
    else high = middle;
  }
  bool found = low < c->count && strncmp(c->names[low], prefix, length + 1) == 0;
  free(prefix);
  return found;
}

/* Removes the directories that a name lay in, as far as they are empty now and stay so. */
static bool clear_parents(const char *name, const struct coming *coming) {
  bool announced = true;
  for (char *path = parent_of(name), *next; path; free(path), path = next) {
    const char *last = NULL;
    bool missing;
    struct stat status;
    next = NULL;
    if (comes_into(coming, path)) continue;
    int dir = tree_parent(path, &last, &missing);
    if (dir < 0) continue;
    bool found = fstatat(dir, last, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (found) announced = announce(CLEARED, 0, status.st_mode & 07777, path, "");
    bool removed = found && announced && unlinkat(dir, last, AT_REMOVEDIR) == 0;
    close(dir);
    if (!removed) continue;
    log_step((struct step){.deed = CLEARED, .path = copy_text(path), .mode = status.st_mode & 07777});
    next = parent_of(path);
  }
  return announced;
}

static bool make_directory(const char *path, mode_t mode) {
  const char *last = NULL;
  int dir = open_parent(path, &last);
  if (dir < 0) return false;
  bool made = mkdirat(dir, last, DIRECTORY_MODE) == 0;
  if (!made && errno != EEXIST) refuse_call(errno, path);
  if (made && mode != DIRECTORY_MODE && fchmodat(dir, last, mode, 0) < 0) {
    /* It has vanished again. */
  }
  close(dir);
  return made;
}

static bool make_parents(const char *name) {
  for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
    char *path = strndup(name, (size_t)(slash - name));
    const char *last = NULL;
    int dir = open_parent(path, &last);
    struct stat status;
    bool there = dir >= 0 && fstatat(dir, last, &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (dir >= 0) close(dir);
    bool made = !there && dir >= 0 && announce(MADE_DIRECTORY, 0, 0, path, "") && make_directory(path, DIRECTORY_MODE);
    if (made) log_step((struct step){.deed = MADE_DIRECTORY, .path = path});
    else free(path);
    if (there && !S_ISDIR(status.st_mode)) return refuse("A part of its path is no directory: %s", name);
    if (!there && !made) return false;
  }
  return true;
}

static bool is_link(uint32_t mode) { return (mode & KIND_BITS) == LINK_MODE; }

/* Gives what was written aside its mode, which may forbid reading it; a link was written as where it points. */
static bool stage(const struct entry_of *e) {
  if (!is_link(e->then.mode))
    return fchmodat(tree.aside, staged_name(e->then.staged, 'n'), e->then.mode & 07777, 0) == 0 || refuse_call(errno, e->name);
  struct bytes target;
  if (!tree_content(e, e->then, &target)) return false;
  char text[PATH_MAX];
  bool fits = target.length > 0 && target.length < sizeof text && !memchr(target.at, 0, target.length);
  if (fits) memcpy(text, target.at, target.length);
  size_t length = target.length;
  file_unmap(target);
  if (!fits) return refuse("%s: a link can’t point there", e->name);
  text[length] = 0;
  const char *name = staged_name(e->then.staged, 'n');
  return (unlinkat(tree.aside, name, 0) == 0 && symlinkat(text, tree.aside, name) == 0) || refuse_call(errno, e->name);
}

static bool put(uint32_t i) {
  const struct entry_of *e = tree.entries[i];
  const char *last = NULL;
  if (e->then.staged == NOT_STAGED) return refuse("%s: nothing to put there", e->name);
  if (!make_parents(e->name)) return false;
  int dir = open_parent(e->name, &last);
  if (dir < 0) return false;
  bool replaces = e->now.mode && !S_ISDIR(e->now.mode);
  struct stat staged;
  bool done = fstatat(tree.aside, staged_name(e->then.staged, 'n'), &staged, AT_SYMLINK_NOFOLLOW) == 0 || refuse_call(errno, e->name);
  done = done && announce(replaces ? EXCHANGED : PUT, staged.st_ino, 0, e->name, staged_name(e->then.staged, 'n'));
  if (done && renameat2(tree.aside, staged_name(e->then.staged, 'n'), dir, last, replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
    done = errno == EEXIST ? refuse("%s: it exists already", e->name) : refuse_call(errno, e->name);
  if (done) log_step((struct step){.deed = replaces ? EXCHANGED : PUT, .number = i});
  if (done && replaces && !unchanged(tree.aside, staged_name(e->then.staged, 'n'), &e->status))
    done = refuse("Changed while it was used: %s", e->name);
  close(dir);
  return done;
}

static void undo_file(const struct step *s) {
  const struct entry_of *e = tree.entries[s->number];
  const char *last = NULL;
  int dir = open_parent(e->name, &last);
  if (dir < 0) return;
  /* Nothing can be done where even this fails: somebody else is at work there. */
  if (s->deed == TOOK) renameat2(tree.aside, staged_name(s->number, 'o'), dir, last, RENAME_NOREPLACE);
  else if (s->deed == PUT) renameat2(dir, last, tree.aside, staged_name(e->then.staged, 'n'), RENAME_NOREPLACE);
  else renameat2(tree.aside, staged_name(e->then.staged, 'n'), dir, last, RENAME_EXCHANGE);
  close(dir);
}

static void undo_all(void) {
  while (step_count > 0) {
    const struct step *s = &steps[--step_count];
    const char *last = NULL;
    if (s->deed == CLEARED) {
      make_directory(s->path, s->mode);
    } else if (s->deed == MADE_DIRECTORY) {
      int dir = open_parent(s->path, &last);
      if (dir >= 0) unlinkat(dir, last, AT_REMOVEDIR), close(dir);
    } else {
      undo_file(s);
    }
  }
}

/* What goes makes place first, for what comes may lie where a directory was. */
static bool do_all(void) {
  for (uint32_t i = 0; i < tree.count; i++)
    if (changes(tree.entries[i]) && tree.entries[i]->then.mode && !stage(tree.entries[i])) return false;
  for (uint32_t i = 0; i < tree.count && !asked_to_stop; i++)
    if (tree.entries[i]->now.mode && !tree.entries[i]->then.mode && !take_away(i)) return false;
  struct coming coming = what_comes();
  bool cleared = true;
  for (uint32_t i = 0; cleared && i < tree.count && !asked_to_stop; i++)
    if (tree.entries[i]->now.mode && !tree.entries[i]->then.mode) cleared = clear_parents(tree.entries[i]->name, &coming);
  free(coming.names);
  if (!cleared) return false;
  for (uint32_t i = 0; i < tree.count && !asked_to_stop; i++)
    if (changes(tree.entries[i]) && tree.entries[i]->then.mode && !put(i)) return false;
  return !asked_to_stop || refuse("Cancelled");
}

bool tree_commit(void) {
  struct sigaction action = {.sa_handler = on_stop};
  sigaction(SIGTERM, &action, NULL);
  char why[MAX_TEXT_OF_REFUSAL];
  if (open_journal() && do_all() && (renameat(tree.aside, JOURNAL, tree.aside, DONE) == 0 || refuse_call(errno, JOURNAL))) return true;
  /* Undoing may be refused things of its own. */
  snprintf(why, sizeof why, "%s", refusal);
  undo_all();
  return refuse("%s", why);
}

/* One of what may have been done, as it was announced. */
struct announced {
  enum deed deed;
  uint64_t inode;
  mode_t mode;
  const char *path, *aside;
};

static bool is_there(const char *aside) {
  struct stat status;
  return fstatat(tree.aside, aside, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

/* What was not done, or is undone already, is left as it is. */
static void undo_announced(const struct announced *a) {
  const char *last = NULL;
  struct stat status;
  if (a->deed == CLEARED) {
    make_directory(a->path, a->mode);
    return;
  }
  int dir = open_parent(a->path, &last);
  if (dir < 0) return;
  bool is = fstatat(dir, last, &status, AT_SYMLINK_NOFOLLOW) == 0 && status.st_ino == a->inode;
  if (a->deed == MADE_DIRECTORY) unlinkat(dir, last, AT_REMOVEDIR);
  else if (a->deed == TOOK) renameat2(tree.aside, a->aside, dir, last, RENAME_NOREPLACE);
  else if (a->deed == EXCHANGED && is) renameat2(tree.aside, a->aside, dir, last, RENAME_EXCHANGE);
  else if (a->deed == PUT && is && !is_there(a->aside)) renameat2(dir, last, tree.aside, a->aside, RENAME_NOREPLACE);
  close(dir);
}

/* The next text of the journal; NULL for one that was cut. */
static const char *next_text(struct bytes *rest) {
  const char *text = (const char *)rest->at, *end = memchr(text, 0, rest->length);
  if (!end) return NULL;
  rest->length -= (size_t)(end + 1 - text);
  rest->at += end + 1 - text;
  return text;
}

static bool next_announced(struct bytes *rest, struct announced *a) {
  unsigned deed, mode;
  unsigned long long inode;
  const char *head = rest->length ? next_text(rest) : NULL;
  a->path = head && rest->length ? next_text(rest) : NULL;
  a->aside = a->path && rest->length ? next_text(rest) : NULL;
  if (!a->aside || sscanf(head, "%u %llu %o", &deed, &inode, &mode) != 3 || deed > BEGAN) return false;
  a->deed = (enum deed)deed;
  a->inode = inode;
  a->mode = mode;
  return true;
}

/* Programs of the sandbox could have written it: a name leads nowhere but below the target. */
static bool leads_below(const char *path) {
  for (const char *part = path, *end;; part = end + 1) {
    end = strchrnul(part, '/');
    size_t length = (size_t)(end - part);
    if (length == 0 || length > NAME_MAX || (length == 1 && part[0] == '.') || (length == 2 && part[0] == '.' && part[1] == '.')) return false;
    if (!*end) return true;
  }
}

static bool is_ours(const struct announced *a) { return leads_below(a->path) && !strchr(a->aside, '/'); }

/* The journal of what was not done to its end; empty where there is none. */
static bool read_journal(struct bytes *journal) {
  struct stat status;
  *journal = (struct bytes){0};
  int fd = openat(tree.aside, JOURNAL, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT || refuse_call(errno, JOURNAL);
  if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > MAX_JOURNAL) return refuse("Its journal is none");
  return file_map(fd, JOURNAL, journal);
}

bool tree_recover(int base, const char *aside, bool *was_done) {
  struct bytes rest;
  struct stat status;
  tree.base = base;
  tree.aside = open(aside, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (tree.aside < 0) return refuse_call(errno, aside);
  *was_done = is_there(DONE);
  if (!read_journal(&rest)) return false;
  struct announced *all = NULL, one;
  size_t count = 0, capacity = 0;
  if (!next_announced(&rest, &one)) return true;
  if (one.deed != BEGAN || fstat(base, &status) < 0 || one.inode != status.st_ino) return refuse("Its target is another by now");
  while (next_announced(&rest, &one)) {
    if (count == capacity) all = reallocate(all, (capacity = capacity ? 2 * capacity : 64) * sizeof *all);
    if (is_ours(&one)) all[count++] = one;
  }
  while (count > 0) undo_announced(&all[--count]);
  free(all);
  return true;
}
