#define _GNU_SOURCE
#include "watch_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "directories.h"
#include "memory.h"
#include "protocol.h"
#include "refusal.h"

enum {
  FIRST_CAPACITY = 64,
  /* More names than a sandbox's disk has inodes, which a name takes one of. */
  MOST_NAMES = 1 << 18,
  WATCHED = IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR |
            IN_EXCL_UNLINK,
};

/* FNV-1a */
static size_t hash_name(const struct node *directory, const char *name) {
  uint64_t hash = 14695981039346656037u ^ (uintptr_t)directory;
  for (; *name; name++) hash = (hash ^ (uint8_t)*name) * 1099511628211u;
  return (size_t)(hash ^ hash >> 32);
}

static size_t hash_watch(int watch) { return (size_t)watch * 2654435761u; }

static struct node **list_of(const struct node_table *table, size_t hash) { return &table->lists[hash & (table->capacity - 1)]; }

static struct node **by_name(struct node *n) { return &n->next_by_name; }
static struct node **by_watch(struct node *n) { return &n->next_by_watch; }
static size_t name_hash(const struct node *n) { return hash_name(n->parent, n->name); }
static size_t watch_hash(const struct node *n) { return hash_watch(n->watch); }

typedef struct node **(*next_of)(struct node *);
typedef size_t (*hash_of)(const struct node *);

static void table_put(struct node_table *table, struct node *n, next_of next, hash_of hash) {
  if (table->count >= table->capacity) {
    struct node_table larger = {.capacity = table->capacity ? 2 * table->capacity : FIRST_CAPACITY};
    larger.lists = allocate(larger.capacity * sizeof *larger.lists);
    memset(larger.lists, 0, larger.capacity * sizeof *larger.lists);
    for (size_t i = 0; i < table->capacity; i++)
      for (struct node *each; (each = table->lists[i]);) {
        table->lists[i] = *next(each);
        struct node **list = list_of(&larger, hash(each));
        *next(each) = *list;
        *list = each;
      }
    larger.count = table->count;
    free(table->lists);
    *table = larger;
  }
  struct node **list = list_of(table, hash(n));
  *next(n) = *list;
  *list = n;
  table->count++;
}

static void table_take(struct node_table *table, struct node *n, next_of next, hash_of hash) {
  struct node **at = list_of(table, hash(n));
  while (*at != n) at = next(*at);
  *at = *next(n);
  table->count--;
}

static bool is_below(const struct watched_tree *t, const struct node *n) {
  while (n->parent) n = n->parent;
  return n == t->top;
}

char *watched_path(const struct watched_tree *t, const struct node *n) {
  if (!is_below(t, n)) return NULL;
  size_t length = 0;
  for (const struct node *each = n; each->parent; each = each->parent) length += strlen(each->name) + 1;
  char *path = allocate(length + 1), *end = path + length;
  *end = 0;
  for (; n->parent; n = n->parent) {
    size_t part = strlen(n->name);
    /* Between two parts, and not behind the last. */
    if (*end) *--end = '/';
    end = memcpy(end - part, n->name, part);
  }
  memmove(path, end, strlen(end) + 1);
  return path;
}

struct node *watched_find(const struct watched_tree *t, const struct node *directory, const char *name) {
  if (t->by_name.capacity == 0) return NULL;
  struct node *n = *list_of(&t->by_name, hash_name(directory, name));
  while (n && (n->parent != directory || strcmp(n->name, name) != 0)) n = n->next_by_name;
  return n;
}

struct node *watched_by(const struct watched_tree *t, int watch) {
  if (t->by_watch.capacity == 0) return NULL;
  struct node *n = *list_of(&t->by_watch, hash_watch(watch));
  while (n && n->watch != watch) n = n->next_by_watch;
  return n;
}

static void link_to(struct watched_tree *t, struct node *n, struct node *directory) {
  n->parent = directory;
  n->previous_sibling = NULL;
  n->next_sibling = directory->first_child;
  if (n->next_sibling) n->next_sibling->previous_sibling = n;
  directory->first_child = n;
  table_put(&t->by_name, n, by_name, name_hash);
}

static struct node *new_node(const char *name, bool is_directory) {
  struct node *n = allocate(sizeof *n);
  *n = (struct node){.name = copy_text(name), .is_directory = is_directory, .watch = -1};
  return n;
}

struct node *watched_add(struct watched_tree *t, struct node *directory, const char *name, bool is_directory) {
  struct node *n = new_node(name, is_directory);
  link_to(t, n, directory);
  return n;
}

void watched_detach(struct watched_tree *t, struct node *n) {
  table_take(&t->by_name, n, by_name, name_hash);
  if (n->previous_sibling) n->previous_sibling->next_sibling = n->next_sibling;
  else n->parent->first_child = n->next_sibling;
  if (n->next_sibling) n->next_sibling->previous_sibling = n->previous_sibling;
  n->parent = NULL;
}

void watched_attach(struct watched_tree *t, struct node *n, struct node *directory, const char *name) {
  char *copy = copy_text(name);
  free(n->name);
  n->name = copy;
  link_to(t, n, directory);
}

void watched_no_more(struct watched_tree *t, struct node *n) {
  table_take(&t->by_watch, n, by_watch, watch_hash);
  n->watch = -1;
  t->directories--;
}

/* Without recursion: a program may nest directories as deep as it has inodes. */
void watched_forget(struct watched_tree *t, struct node *n) {
  for (struct node *at = n; at;) {
    if (at->first_child) {
      at = at->first_child;
      continue;
    }
    struct node *parent = at->parent;
    if (at != n) watched_detach(t, at);
    if (at->watch >= 0) {
      inotify_rm_watch(t->inotify, at->watch);
      watched_no_more(t, at);
    }
    free(at->name);
    free(at);
    at = at == n ? NULL : parent;
  }
}

/* Opens a directory step by step from the top; -1 with errno. */
static int open_node(const struct watched_tree *t, const struct node *n) {
  char *path = watched_path(t, n);
  if (!path || strlen(path) >= PATH_MAX) {
    free(path);
    errno = ENAMETOOLONG;
    return -1;
  }
  int fd = t->open_top();
  for (char *name = path, *rest; fd >= 0 && *name; name = rest) {
    rest = name + strcspn(name, "/");
    if (*rest) *rest++ = 0;
    int next = open_directory(fd, name);
    int error = errno;
    close(fd);
    errno = error;
    fd = next;
  }
  free(path);
  return fd;
}

/* Not by its path, which may have become another's meanwhile. */
static bool add_watch(struct watched_tree *t, struct node *n, int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int watch = inotify_add_watch(t->inotify, path, WATCHED);
  if (watch < 0 && errno == ENOSPC) return refuse("The machine has no watch left for another directory");
  if (watch < 0) return refuse("Watching failed (errno %d)", errno);
  struct node *known = watched_by(t, watch);
  if (known == n) return true;
  /* One that was moved while it was looked for. */
  if (known) watched_no_more(t, known);
  n->watch = watch;
  table_put(&t->by_watch, n, by_watch, watch_hash);
  t->directories++;
  return true;
}

/* Adds what lies in an open directory and is not known. */
static bool add_names(struct watched_tree *t, struct node *directory, int fd, on_found found) {
  struct names names = {0};
  bool within = true;
  if (names_read(fd, &names) == 0)
    for (size_t i = 0; i < names.count && within; i++) {
      struct entry entry;
      if (watched_find(t, directory, names.items[i]) || entry_read(fd, names.items[i], &entry) < 0) continue;
      within = t->by_name.count < t->most_names || refuse("Too many files to watch: over %zu", t->most_names);
      if (!within) break;
      struct node *n = watched_add(t, directory, names.items[i], entry.type == TYPE_DIRECTORY);
      if (found) found(t, n);
    }
  names_free(&names);
  return within;
}

/* One directory; what has vanished, may not be read or lies too deep to be named is left out. */
static bool learn_one(struct watched_tree *t, struct node *directory, on_found found) {
  if (t->directories >= t->most_directories) return refuse("Too many directories to watch: over %zu", t->most_directories);
  int fd = open_node(t, directory);
  if (fd < 0) return errno != EMFILE || refuse("Watching failed (errno %d)", errno);
  bool done = add_watch(t, directory, fd) && add_names(t, directory, fd, found);
  close(fd);
  return done;
}

/* The next node below `top`, in the order of their depth-first walk. */
static struct node *next_node(const struct node *top, struct node *n) {
  if (n->first_child) return n->first_child;
  while (n != top && !n->next_sibling) n = n->parent;
  return n == top ? NULL : n->next_sibling;
}

bool watched_learn(struct watched_tree *t, struct node *directory, on_found found) {
  for (struct node *n = directory; n; n = next_node(directory, n)) {
    if (!n->is_directory || n->watch >= 0) continue;
    if (!learn_one(t, n, found)) return false;
    if (!t->recursive) break;
  }
  return true;
}

bool watched_open(struct watched_tree *t, int (*open_top)(void), bool recursive, size_t most_directories) {
  *t = (struct watched_tree){
      .inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
      .open_top = open_top,
      .top = new_node("", true),
      .recursive = recursive,
      .most_directories = most_directories,
      .most_names = MOST_NAMES,
  };
  if (t->inotify < 0) return refuse("The machine has nothing left to watch with (errno %d)", errno);
  return watched_learn(t, t->top, NULL);
}

void watched_close(struct watched_tree *t) {
  if (t->inotify >= 0) close(t->inotify);
  t->inotify = -1;
  watched_forget(t, t->top);
  free(t->by_name.lists);
  free(t->by_watch.lists);
}
