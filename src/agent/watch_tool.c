#define _GNU_SOURCE
#include "watch_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "place.h"
#include "refusal.h"
#include "tool.h"
#include "watch_changes.h"
#include "watch_tree.h"

enum {
  /* How long what happens is gathered before it is told, milliseconds: what an editor does to save a file takes less. */
  WINDOW_MS = 10,
  /* Changes that are told at once. */
  MOST_CHANGES = 4096,
  EVENT_BYTES = 64 * 1024,
  /* After an overflow the tree is learned anew once the queue has been quiet, or after this long, milliseconds. */
  CALM_MS = 200,
};

/* Names that were moved from their place, and may turn up in another one. */
struct moved {
  struct moved *next;
  uint32_t cookie;
  struct node *node;
  char *path;
  /* It was there in the moment before this one already. */
  bool waited;
};

static struct out out = {.fd = STDOUT_FILENO, .most = UINT64_MAX};
static struct watched_tree tree;
static struct moved *moved;
static const char *top_path;
/* Where a single file is watched: its name in the directory that really is. */
static const char *only;
static bool overflown, ended;

static void write_record(char type, const char *path, const char *new_path) {
  /* Nobody is left to hear it. */
  if (!out_bytes(&out, &type, 1) || !out_bytes(&out, path, strlen(path) + 1)) exit(0);
  if (new_path && !out_bytes(&out, new_path, strlen(new_path) + 1)) exit(0);
}

/* As seen by who watches a single file: that comes and goes, whatever it is called elsewhere. */
static void write_only(enum change_type type, const char *path, const char *new_path, bool replaced) {
  bool is_it = strcmp(path, only) == 0, becomes_it = new_path && strcmp(new_path, only) == 0;
  if (type == CHANGE_RENAMED && is_it) write_record(CHANGE_DELETED, "", NULL);
  else if (type == CHANGE_RENAMED && becomes_it) write_record(replaced ? CHANGE_MODIFIED : CHANGE_CREATED, "", NULL);
  else if (is_it) write_record((char)type, "", NULL);
}

static void write_change(enum change_type type, const char *path, const char *new_path, bool replaced) {
  if (only) write_only(type, path, new_path, replaced);
  else write_record((char)type, path, new_path);
}

static void flush(void) {
  if (!out_flush(&out)) exit(0);
}

static void found(const struct watched_tree *t, const struct node *n) {
  char *path = watched_path(t, n);
  changes_created(path, false);
  free(path);
}

static void tell(void) {
  changes_tell(write_change);
  flush();
}

static void learn(struct node *n) {
  if (!n->is_directory || !tree.recursive || watched_learn(&tree, n, found)) return;
  tell();
  tool_fail();
}

/* Tells of a node's end, and of all that was known below it. */
static void forget(struct node *n, char *path) {
  changes_deleted(path);
  free(path);
  watched_forget(&tree, n);
}

/* Takes what has that name out of the tree; whether there was something. */
static bool replace(struct node *directory, const char *name) {
  struct node *known = watched_find(&tree, directory, name);
  if (!known) return false;
  watched_detach(&tree, known);
  watched_forget(&tree, known);
  return true;
}

static void on_created(struct node *directory, const char *name, bool is_directory) {
  /* Found already when its directory was learned. */
  if (watched_find(&tree, directory, name)) return;
  struct node *n = watched_add(&tree, directory, name, is_directory);
  char *path = watched_path(&tree, n);
  changes_created(path, false);
  free(path);
  learn(n);
}

static void on_deleted(struct node *directory, const char *name) {
  struct node *n = watched_find(&tree, directory, name);
  if (!n) return;
  char *path = watched_path(&tree, n);
  watched_detach(&tree, n);
  forget(n, path);
}

static void on_modified(struct node *directory, const char *name) {
  struct node *n = watched_find(&tree, directory, name);
  /* One that could not be read may be readable now. */
  if (n && n->is_directory && n->watch < 0) return learn(n);
  if (!n || n->is_directory) return;
  char *path = watched_path(&tree, n);
  changes_modified(path);
  free(path);
}

static void on_moved_from(struct node *directory, const char *name, uint32_t cookie) {
  struct node *n = watched_find(&tree, directory, name);
  if (!n) return;
  struct moved *m = allocate(sizeof *m);
  *m = (struct moved){.next = moved, .cookie = cookie, .node = n, .path = watched_path(&tree, n)};
  moved = m;
  watched_detach(&tree, n);
}

static struct moved *take_moved(uint32_t cookie) {
  struct moved **at = &moved;
  while (*at && (*at)->cookie != cookie) at = &(*at)->next;
  struct moved *m = *at;
  if (m) *at = m->next;
  return m;
}

static void on_moved_to(struct node *directory, const char *name, bool is_directory, uint32_t cookie) {
  bool existed = replace(directory, name);
  struct moved *m = take_moved(cookie);
  /* What lies below a directory has other paths from here on. */
  if (m && is_directory) tell();
  struct node *n = m ? m->node : watched_add(&tree, directory, name, is_directory);
  if (m) watched_attach(&tree, n, directory, name);
  char *path = watched_path(&tree, n);
  if (m) changes_renamed(m->path, path, existed);
  else changes_created(path, existed);
  free(path);
  if (m) free(m->path);
  free(m);
  learn(n);
}

/* What was moved and has not turned up is elsewhere. */
static void give_up_moved(void) {
  for (struct moved **at = &moved; *at;) {
    struct moved *m = *at;
    if (!m->waited) {
      m->waited = true;
      at = &m->next;
      continue;
    }
    *at = m->next;
    forget(m->node, m->path);
    free(m);
  }
}

static void on_event(const struct inotify_event *event) {
  uint32_t mask = event->mask;
  overflown = overflown || mask & IN_Q_OVERFLOW;
  struct node *n = watched_by(&tree, event->wd);
  if (!n) return;
  if (n == tree.top && mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)) ended = true;
  if (mask & IN_IGNORED) return watched_no_more(&tree, n);
  char *path = event->len ? watched_path(&tree, n) : NULL;
  /* Of what has been moved elsewhere. */
  if (!path) return;
  free(path);
  bool is_directory = mask & IN_ISDIR;
  if (mask & IN_CREATE) on_created(n, event->name, is_directory);
  else if (mask & IN_DELETE) on_deleted(n, event->name);
  else if (mask & IN_MOVED_FROM) on_moved_from(n, event->name, event->cookie);
  else if (mask & IN_MOVED_TO) on_moved_to(n, event->name, is_directory, event->cookie);
  else if (mask & (IN_MODIFY | IN_ATTRIB)) on_modified(n, event->name);
}

/* Handles what has happened by now. */
static void read_events(void) {
  static alignas(struct inotify_event) char bytes[EVENT_BYTES];
  ssize_t got;
  while (!ended && !overflown && (got = read(tree.inotify, bytes, sizeof bytes)) > 0) {
    for (char *at = bytes; at < bytes + got && !ended;) {
      const struct inotify_event *event = (const void *)at;
      on_event(event);
      at += sizeof *event + event->len;
    }
    if (changes_count() > MOST_CHANGES) tell();
  }
}

static bool wait_for_events(int timeout) {
  struct pollfd entry = {.fd = tree.inotify, .events = POLLIN};
  int ready = poll(&entry, 1, timeout);
  if (ready < 0 && errno != EINTR) die_errno("poll");
  return ready > 0;
}

/* The directory at the top; -1 with errno where that is another one now. */
static int open_top(void) {
  static struct stat first;
  struct place place;
  struct stat status;
  int fd = -1;
  if (place_find(&place, top_path, true, false))
    fd = openat(place.dir, only ? "." : place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  else errno = ENOENT;
  int error = errno;
  place_close(&place);
  errno = error;
  if (fd < 0 || fstat(fd, &status) < 0) return -1;
  if (!first.st_ino) first = status;
  if (first.st_ino == status.st_ino && first.st_dev == status.st_dev) return fd;
  close(fd);
  errno = ENOENT;
  return -1;
}

/* Learns all anew: what happened since the queue was full is known to nobody. */
static void start_over(void) {
  tell();
  bool recursive = tree.recursive;
  size_t most = tree.most_directories;
  for (struct moved *m; (m = moved);) {
    moved = m->next;
    watched_forget(&tree, m->node);
    free(m->path);
    free(m);
  }
  watched_close(&tree);
  /* What fills the queue would fill the next one too. */
  poll(NULL, 0, CALM_MS);
  tool_must(watched_open(&tree, open_top, recursive, most));
  overflown = false;
  write_record(RECORD_OVERFLOW, "", NULL);
  flush();
}

/* What is to be watched: a directory, or a file in one. */
static void find_top(bool recursive, size_t most) {
  struct place place;
  struct stat status;
  tool_must(place_find(&place, top_path, true, false));
  if (fstatat(place.dir, place.name, &status, AT_SYMLINK_NOFOLLOW) < 0) tool_must(refuse_call(errno, top_path));
  tool_must(S_ISDIR(status.st_mode) || S_ISREG(status.st_mode) || refuse("Neither a file nor a directory: %s", top_path));
  if (S_ISREG(status.st_mode)) only = copy_text(place.name);
  place_close(&place);
  tool_must(watched_open(&tree, open_top, recursive && !only, most));
}

void run_watch(char **words) {
  /* Nobody else in the sandbox writes what it tells. */
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  places_open(words[2]);
  top_path = path_in(words[3]);
  find_top(number_in(words[4]), number_in(words[5]));
  write_record(RECORD_READY, "", NULL);
  flush();
  while (!ended) {
    wait_for_events(moved ? WINDOW_MS : -1);
    /* What belongs together happens at once, or nearly. */
    poll(NULL, 0, WINDOW_MS);
    read_events();
    give_up_moved();
    if (overflown) start_over();
    else tell();
  }
  if (!only || watched_find(&tree, tree.top, only)) write_record(CHANGE_DELETED, "", NULL);
  flush();
  exit(0);
}
