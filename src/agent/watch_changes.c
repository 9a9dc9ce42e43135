#include "watch_changes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* What has become of one name. */
struct change {
  char *path;
  /* The name that it had at first, where it was renamed to this one. */
  char *from;
  bool before, after;
  /* Its content is another, or another's. */
  bool replaced, edited;
  /* Where it went has been told. */
  bool told;
};

/* In their order, and for finding them places by hash, of a number each that is one more. */
static struct change *changes;
static size_t count, capacity;
static uint32_t *places;
static size_t place_count;

static size_t hash(const char *path) {
  uint64_t hash = 14695981039346656037u;
  for (; *path; path++) hash = (hash ^ (uint8_t)*path) * 1099511628211u;
  return (size_t)(hash ^ hash >> 32);
}

static uint32_t *place_of(const char *path) {
  size_t at = hash(path) & (place_count - 1);
  while (places[at] && strcmp(changes[places[at] - 1].path, path) != 0) at = (at + 1) & (place_count - 1);
  return &places[at];
}

static void grow(void) {
  capacity = capacity ? 2 * capacity : 64;
  changes = reallocate(changes, capacity * sizeof *changes);
  place_count = 2 * capacity;
  places = reallocate(places, place_count * sizeof *places);
  memset(places, 0, place_count * sizeof *places);
  for (size_t i = 0; i < count; i++) *place_of(changes[i].path) = (uint32_t)i + 1;
}

/* The change of a name; good until another one begins. */
static struct change *change_of(const char *path, bool existed) {
  if (count == capacity) grow();
  uint32_t *place = place_of(path);
  if (!*place) {
    changes[count] = (struct change){.path = copy_text(path), .before = existed, .after = existed};
    *place = (uint32_t)++count;
  }
  return &changes[*place - 1];
}

static void has(struct change *c, char *from) {
  free(c->from);
  c->from = from;
  c->replaced = c->after || c->before;
  c->after = true;
  c->edited = false;
}

void changes_created(const char *path, bool existed) { has(change_of(path, existed), NULL); }

void changes_modified(const char *path) { change_of(path, true)->edited = true; }

static void gone(struct change *c) {
  free(c->from);
  c->from = NULL;
  c->after = false;
}

void changes_deleted(const char *path) { gone(change_of(path, true)); }

void changes_renamed(const char *from, const char *to, bool existed) {
  struct change *source = change_of(from, true);
  const char *first = source->from ? source->from : source->before ? source->path : NULL;
  char *origin = first ? copy_text(first) : NULL;
  bool edited = source->edited;
  gone(source);
  struct change *target = change_of(to, existed);
  /* Back where it was. */
  bool is_back = origin && strcmp(origin, to) == 0;
  if (is_back) free(origin);
  has(target, is_back ? NULL : origin);
  if (is_back) target->replaced = false;
  target->edited = edited;
}

size_t changes_count(void) { return count; }

static bool is_renamed(const struct change *c) {
  return c->from && c->after && !changes[*place_of(c->from) - 1].after;
}

static void tell_one(const struct change *c, on_change tell) {
  if (is_renamed(c)) {
    tell(CHANGE_RENAMED, c->from, c->path, c->before);
    if (c->edited) tell(CHANGE_MODIFIED, c->path, NULL, false);
  } else if (!c->before && c->after) tell(CHANGE_CREATED, c->path, NULL, false);
  else if (c->before && !c->after && !c->told) tell(CHANGE_DELETED, c->path, NULL, false);
  else if (c->before && c->after && (c->replaced || c->edited)) tell(CHANGE_MODIFIED, c->path, NULL, false);
}

void changes_tell(on_change tell) {
  for (size_t i = 0; i < count; i++)
    if (is_renamed(&changes[i])) changes[*place_of(changes[i].from) - 1].told = true;
  for (size_t i = 0; i < count; i++) tell_one(&changes[i], tell);
  for (size_t i = 0; i < count; i++) {
    free(changes[i].path);
    free(changes[i].from);
  }
  count = 0;
  if (place_count) memset(places, 0, place_count * sizeof *places);
}
