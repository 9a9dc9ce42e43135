#define _GNU_SOURCE
#include "sockets.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "memory.h"
#include "proc.h"

enum {
  /* As many sockets can't hold more than HELD_BYTES, whatever they are. */
  FEW = 128,
  /* What sockets may hold that no control group is charged for. */
  HELD_BYTES = 32 * 1024 * 1024,
  /*
   * Connections that nobody has accepted: how many may hold that much, each filled to its buffer's first size (tcp_rmem), whose sum
   * is not asked for. That takes a look at all of a sandbox's connections, and a program makes more meanwhile than are read.
   */
  UNACCEPTED_BY_SMALL_BUFFER = 1024,
  UNACCEPTED_BY_LARGE_BUFFER = 256,
  /* The largest first size that counts as small: src/launcher/plan.ts sets it where it can. */
  SMALL_BUFFER_BYTES = 16 * 1024,
  /* What a socket holds that its program has closed, at least, beside what waits in it. */
  ORPHAN_BYTES = 4096,
  /* Looking takes a third of the agent's time at most: as long as it took, twice, nothing is looked at. */
  PAUSE = 2,
  /* Connections that their program has closed are looked for as seldom as that, in milliseconds, and for a seventh of the time. */
  ORPHANS_MS = 250,
  ORPHANS_PAUSE = 6,
  /* While something happens; a program makes some 10 MB meanwhile. Milliseconds. */
  BUSY_MS = 20,
  /* LISTEN (include/net/tcp_states.h): its queue is one of connections. */
  LISTENING = 0x0a,
};

static double next_at, orphans_at, period = BUSY_MS;
static uint64_t seen;

double now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

void sockets_hasten(void) {
  period = BUSY_MS;
  double soon = now_ms() + BUSY_MS;
  if (soon < next_at) next_at = soon;
}

void sockets_begin(void) {
  double soon = now_ms() + BUSY_MS;
  if (soon > next_at) next_at = soon;
}

double sockets_pause(void) {
  double pause = next_at - now_ms();
  return pause > 0 ? pause : 0;
}

struct line {
  unsigned state, sent, received;
  unsigned long inode;
};

/* Number, two addresses, state, `tx_queue:rx_queue`, timer, retransmissions, uid, timeout, inode. */
static bool parse(const char *text, struct line *line) {
  return sscanf(text, " %*d: %*s %*s %x %x:%x %*s %*s %*s %*s %lu", &line->state, &line->sent, &line->received, &line->inode) == 4;
}

/* Adds what `of` says of each line to `sum`, until it says -1 or `sum` is above `most`. */
static size_t add_lines(const char *path, size_t sum, size_t most, long (*of)(const struct line *)) {
  FILE *file = fopen(path, "re");
  if (!file) return die_of_want(), sum;
  char text[512];
  while (sum <= most && fgets(text, sizeof text, file)) {
    struct line line;
    if (!parse(text, &line)) continue;
    long more = of(&line);
    if (more < 0) break;
    sum += (size_t)more;
  }
  fclose(file);
  return sum;
}

/* Connections that wait to be accepted. Those that listen come first: no other is looked at, of which there may be many. */
static long unaccepted_of(const struct line *line) { return line->state == LISTENING ? (long)line->received : -1; }

static long bytes_of(const struct line *line) { return (long)line->sent + (long)line->received; }

/* What a program sent and closed is charged to it, but on version 1 not held to a limit: it has no inode any more. */
static long orphaned_of(const struct line *line) {
  return line->inode == 0 && bytes_of(line) > 0 ? ORPHAN_BYTES + bytes_of(line) : 0;
}

static size_t in_both(const char *path, const char *path6, size_t most, long (*of)(const struct line *)) {
  return add_lines(path6, add_lines(path, 0, most, of), most, of);
}

static size_t most_unaccepted(void) {
  static size_t most;
  char text[128];
  unsigned long first = ULONG_MAX;
  if (most) return most;
  if (file_read("/proc/sys/net/ipv4/tcp_rmem", text, sizeof text) > 0) sscanf(text, "%*u %lu", &first);
  most = first <= SMALL_BUFFER_BYTES ? UNACCEPTED_BY_SMALL_BUFFER : UNACCEPTED_BY_LARGE_BUFFER;
  return most;
}

/* The number after some words of /proc/net/sockstat. */
static unsigned count_after(const char *text, const char *words) {
  const char *at = strstr(text, words);
  return at ? (unsigned)strtoul(at + strlen(words), NULL, 10) : 0;
}

static bool too_much(unsigned connections) {
  size_t most = most_unaccepted();
  if (in_both("/proc/net/tcp", "/proc/net/tcp6", most, unaccepted_of) > most) return true;
  if (in_both("/proc/net/udp", "/proc/net/udp6", HELD_BYTES, bytes_of) > HELD_BYTES) return true;
  double now = now_ms();
  if (connections <= FEW || now < orphans_at) return false;
  bool exceeded = in_both("/proc/net/tcp", "/proc/net/tcp6", HELD_BYTES, orphaned_of) > HELD_BYTES;
  double done = now_ms(), pause = (done - now) * ORPHANS_PAUSE;
  orphans_at = done + (pause > ORPHANS_MS ? pause : ORPHANS_MS);
  return exceeded;
}

/* FNV-1a, of all that tells whether something has happened. */
static uint64_t add_bytes(uint64_t hash, const void *bytes, size_t length) {
  for (const unsigned char *at = bytes; length-- > 0; at++) hash = (hash ^ *at) * 0x100000001b3u;
  return hash;
}

/* How many sockets there are, of all kinds and of connections: those that nobody has accepted are among the latter only. */
struct counts {
  unsigned used, tcp, tcp6;
};

static struct counts count_sockets(void) {
  static int fd = NOT_OPEN, fd6 = NOT_OPEN;
  char text[1024];
  struct counts counts = {0};
  if (file_read_again("/proc/net/sockstat", &fd, text, sizeof text) > 0) {
    counts.used = count_after(text, "sockets: used ");
    counts.tcp = count_after(text, "TCP: inuse ");
  }
  if (file_read_again("/proc/net/sockstat6", &fd6, text, sizeof text) > 0) counts.tcp6 = count_after(text, "TCP6: inuse ");
  return counts;
}

/* Sockets, what has passed on the loopback, and what programs have used of the CPU. */
static uint64_t look_around(const struct counts *counts, double busy) {
  static int fd = NOT_OPEN;
  char text[2048];
  uint64_t hash = add_bytes(add_bytes(0xcbf29ce484222325u, counts, sizeof *counts), &busy, sizeof busy);
  long length = file_read_again("/proc/net/dev", &fd, text, sizeof text);
  return length > 0 ? add_bytes(hash, text, (size_t)length) : hash;
}

bool sockets_exceed(double slowest, double (*busy)(void)) {
  double now = now_ms();
  if (now < next_at) return false;
  struct counts counts = count_sockets();
  uint64_t before = seen;
  seen = look_around(&counts, busy());
  period = seen != before ? BUSY_MS : 2 * period > slowest ? slowest : 2 * period;
  bool exceeded = counts.used + counts.tcp + counts.tcp6 > FEW && too_much(counts.tcp + counts.tcp6);
  double done = now_ms(), pause = done + (done - now) * PAUSE;
  next_at = now + period > pause ? now + period : pause;
  return exceeded;
}
