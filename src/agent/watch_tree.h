/*
 * What is known of a tree of files that is watched (inotify(7)): every name in it, and the kernel's watch of each directory. Names are
 * known so that what is replaced can be told from what is new.
 */
#ifndef WATCH_TREE_H
#define WATCH_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct node {
  /* NULL for the top, and for what has been taken out of the tree. */
  struct node *parent;
  struct node *first_child, *next_sibling, *previous_sibling;
  /* In the lists of the tables below. */
  struct node *next_by_name, *next_by_watch;
  char *name;
  bool is_directory;
  /* Of a directory that is watched; else -1. */
  int watch;
};

/* Nodes by what is computed from them. */
struct node_table {
  struct node **lists;
  size_t count, capacity;
};

struct watched_tree {
  int inotify;
  /* Opens the directory at its top, or -1 with errno. Held open, its end would not be told. */
  int (*open_top)(void);
  struct node *top;
  bool recursive;
  struct node_table by_name, by_watch;
  size_t directories, most_directories, most_names;
};

/* Called for what is found where nothing was known. */
typedef void (*on_found)(const struct watched_tree *t, const struct node *found);

/* Watches all there is below a directory. False when refused; to be closed either way. */
bool watched_open(struct watched_tree *t, int (*open_top)(void), bool recursive, size_t most_directories);
void watched_close(struct watched_tree *t);
/* Watches a directory of the tree and learns what lies in it, and below it where the tree is recursive. False when refused. */
bool watched_learn(struct watched_tree *t, struct node *directory, on_found found);
struct node *watched_find(const struct watched_tree *t, const struct node *directory, const char *name);
struct node *watched_by(const struct watched_tree *t, int watch);
/* Adds a name that is not known. */
struct node *watched_add(struct watched_tree *t, struct node *directory, const char *name, bool is_directory);
/* Takes a node out of the tree, with what is below it; its watches go on. */
void watched_detach(struct watched_tree *t, struct node *n);
/* Puts one in that was taken out. */
void watched_attach(struct watched_tree *t, struct node *n, struct node *directory, const char *name);
/* Forgets a node that was taken out, and what is below it. */
void watched_forget(struct watched_tree *t, struct node *n);
/* The kernel has ended a watch. */
void watched_no_more(struct watched_tree *t, struct node *n);
/* The way from the top, the caller's to free; NULL for what is no part of the tree any more. */
char *watched_path(const struct watched_tree *t, const struct node *n);

#endif
