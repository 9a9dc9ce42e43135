#define _GNU_SOURCE
#include "poll_set.h"

#include <errno.h>
#include <math.h>
#include <time.h>

void poll_add(struct poll_set *set, int fd, short events, void (*act)(void *), void *of) {
  if (set->count == set->capacity) {
    set->capacity = set->capacity ? 2 * set->capacity : 32;
    set->entries = reallocate(set->entries, set->capacity * sizeof *set->entries);
    set->actions = reallocate(set->actions, set->capacity * sizeof *set->actions);
  }
  set->entries[set->count] = (struct pollfd){.fd = fd, .events = events};
  set->actions[set->count++] = (struct action){.act = act, .of = of};
}

void poll_wait(struct poll_set *set, double timeout) {
  long nanoseconds = isfinite(timeout) ? (long)(timeout * 1e6) : 0;
  const struct timespec most = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
  int ready = ppoll(set->entries, set->count, isfinite(timeout) ? &most : NULL, NULL);
  if (ready < 0 && errno != EINTR) die_errno("ppoll");
  for (size_t i = 0; i < set->count && ready > 0; i++) {
    if (set->entries[i].revents == 0) continue;
    ready--;
    set->actions[i].act(set->actions[i].of);
  }
}
