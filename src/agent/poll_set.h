/* What to wait for in one turn of the loop, and what to do about it. */
#ifndef POLL_SET_H
#define POLL_SET_H

#include <poll.h>

#include "memory.h"

struct action {
  void (*act)(void *);
  void *of;
};

struct poll_set {
  struct pollfd *entries;
  struct action *actions;
  size_t count, capacity;
};

void poll_add(struct poll_set *set, int fd, short events, void (*act)(void *), void *of);
/* Sleeps until something can be done, or so many milliseconds have passed (infinite: for ever), and does it. */
void poll_wait(struct poll_set *set, double timeout);

#endif
