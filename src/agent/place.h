/*
 * Finds paths below one root without ever leaving it: component by component from an open directory, following links by hand. A
 * link swapped while this runs changes nothing, since every step starts from a descriptor.
 */
#ifndef PLACE_H
#define PLACE_H

#include "memory.h"

enum { MAX_LINKS = 40 };

/* A name in an open directory; `.` for the root itself. Good until `place_close`. */
struct place {
  int dir;
  const char *name;
  /* The way to it. */
  struct ints entered;
  const char **rest;
  size_t rest_count, rest_capacity;
  char *held[MAX_LINKS + 2];
  size_t held_count;
  /* Directories that were made on the way: how many were entered above each, and its name. */
  struct made {
    size_t above;
    const char *name;
  } *made;
  size_t made_count;
};

/* Opens the root; once, before all else. */
void places_open(const char *root);
int places_root_fd(void);
/* The root's path. */
const char *places_root(void);
/* An absolute path's part below the root; NULL where it lies elsewhere. */
const char *below_root(const char *path);
/*
 * The directory that holds the last part of `path`, and that part's name; `follow`: through a link that is the last part.
 * False when refused. To be closed either way.
 */
bool place_find(struct place *p, const char *path, bool follow, bool make_parents);
/* Removes the directories it has made, as far as nothing lies in them. Before it is closed. */
void place_unmake(struct place *p);
void place_close(struct place *p);

#endif
