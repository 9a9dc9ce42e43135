#include "poll_set.h"

#include <errno.h>

void poll_add(struct poll_set *set, int fd, short events, void (*act)(void *), void *of) {
  if (set->count == set->capacity) {
    set->capacity = set->capacity ? 2 * set->capacity : 32;
    set->entries = reallocate(set->entries, set->capacity * sizeof *set->entries);
    set->actions = reallocate(set->actions, set->capacity * sizeof *set->actions);
  }
  set->entries[set->count] = (struct pollfd){.fd = fd, .events = events};
  set->actions[set->count++] = (struct action){.act = act, .of = of};
}

void poll_wait(struct poll_set *set, int timeout) {
  int ready = poll(set->entries, set->count, timeout);
  if (ready < 0 && errno != EINTR) die_errno("poll");
  for (size_t i = 0; i < set->count && ready > 0; i++) {
    if (set->entries[i].revents == 0) continue;
    ready--;
    set->actions[i].act(set->actions[i].of);
  }
}
