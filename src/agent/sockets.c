#define _GNU_SOURCE
#include "sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"
#include "proc.h"

enum {
  /* As many sockets can't hold more than HELD_BYTES, whatever they are; nor as many that nobody has accepted. */
  FEW = 128,
  /* What sockets may hold that no control group is charged for. */
  HELD_BYTES = 32 * 1024 * 1024,
  /* A TCP socket that nobody has accepted, without what it has received. */
  UNACCEPTED_BYTES = 4096,
  /* Looking takes a third of the agent's time at most: as long as it took, twice, nothing is looked at. */
  PAUSE = 2,
  /* LISTEN (include/net/tcp_states.h): its queue is one of connections. */
  LISTENING = 0x0a,
};

double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

struct line {
  unsigned state, sent, received;
  unsigned long inode;
};

/* Number, two addresses, state, `tx_queue:rx_queue`, timer, retransmissions, uid, timeout, inode. */
static bool parse(const char *text, struct line *line) {
  return sscanf(text, " %*d: %*s %*s %x %x:%x %*s %*s %*s %*s %lu", &line->state, &line->sent, &line->received, &line->inode) == 4;
}

/* Adds what `bytes_of` says of each line to `held`, and stops where it is too much already, or where it says -1. */
static size_t add_lines(const char *path, size_t held, long (*bytes_of)(const struct line *)) {
  FILE *file = fopen(path, "re");
  if (!file) return held;
  char text[512];
  while (held <= HELD_BYTES && fgets(text, sizeof text, file)) {
    struct line line;
    if (!parse(text, &line)) continue;
    long bytes = bytes_of(&line);
    if (bytes < 0) break;
    held += (size_t)bytes;
  }
  fclose(file);
  return held;
}

/* Connections that wait to be accepted. Those that listen come first: no other is looked at, of which there may be many. */
static long of_listening(const struct line *line) {
  return line->state == LISTENING ? (long)line->received * UNACCEPTED_BYTES : -1;
}

/*
 * What no program has, or has any more, has no inode. What a program sent and closed is charged to it, but on version 1 not held to
 * a limit.
 */
static long of_connection(const struct line *line) {
  return line->inode == 0 ? (long)line->sent + (long)line->received : 0;
}

static long of_datagrams(const struct line *line) { return (long)line->sent + (long)line->received; }

/* Bytes, at least. */
static size_t held_bytes(void) {
  size_t held = add_lines("/proc/net/tcp", 0, of_listening);
  held = add_lines("/proc/net/tcp6", held, of_listening);
  bool many = held > (size_t)FEW * UNACCEPTED_BYTES;
  held = add_lines("/proc/net/udp", held, of_datagrams);
  held = add_lines("/proc/net/udp6", held, of_datagrams);
  if (!many) return held;
  return add_lines("/proc/net/tcp6", add_lines("/proc/net/tcp", held, of_connection), of_connection);
}

bool sockets_exceed(double period) {
  static double next_at;
  double now = now_ms();
  if (now < next_at) return false;
  char text[512];
  unsigned used = 0;
  if (file_read("/proc/net/sockstat", text, sizeof text) > 0) sscanf(text, "sockets: used %u", &used);
  bool exceeded = used > FEW && held_bytes() > HELD_BYTES;
  double done = now_ms();
  next_at = now + period > done + (done - now) * PAUSE ? now + period : done + (done - now) * PAUSE;
  return exceeded;
}
