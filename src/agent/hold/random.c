#define _GNU_SOURCE
#include "hold.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/*
 * Where JavaScript's random numbers come from in a new realm, of node:vm or of a worker: one stream of ARC4 for the whole process, which
 * JavaScriptCore keys at its start and not again before a megabyte of it is used, so that all children of one process would draw the
 * same. It is found by what it looks like, and what can't be found exactly once is a reason not to fork.
 */
struct stream {
  uint8_t lock, i, j, permutation[256];
  /* Bytes until it is keyed again. */
  int32_t left;
};

enum { MOST_LEFT = 1600000 };

static struct stream *found;

static bool is_one(const struct stream *s) {
  if (s->left <= 0 || s->left > MOST_LEFT || s->lock != 0) return false;
  bool met[256] = {false};
  for (size_t n = 0; n < sizeof s->permutation; n++) {
    if (met[s->permutation[n]]) return false;
    met[s->permutation[n]] = true;
  }
  return true;
}

static void look_within(char *low, char *high) {
  for (char *at = low; at + sizeof(struct stream) <= high; at += _Alignof(struct stream)) {
    if (!is_one((void *)at)) continue;
    if (found) give_up("more than one source of random numbers");
    found = (void *)at;
  }
}

/* In what Bun's program has of variables: the mappings of its file that can be written, and the one behind them. */
void random_look(void) {
  FILE *file = fopen("/proc/self/maps", "re");
  if (!file) give_up("/proc/self/maps");
  char line[1024];
  unsigned long behind = 0;
  while (fgets(line, sizeof line, file)) {
    unsigned long low, high;
    char rights[8], path[512] = "";
    if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %511s", &low, &high, rights, path) < 3) continue;
    size_t length = strlen(path);
    bool own = length > 4 && (strcmp(path + length - 4, "/bun") == 0 || strstr(path, "bun.exe"));
    bool its = own || (low == behind && path[0] == 0);
    if (its && rights[1] == 'w') look_within((char *)low, (char *)high);
    behind = its ? high : 0;
  }
  fclose(file);
  if (!found) give_up("no source of random numbers");
}

/* Any order of its bytes is a key of its own: one is drawn. */
void random_renew(void) {
  uint16_t drawn[256];
  if (getrandom(drawn, sizeof drawn, 0) != sizeof drawn) give_up("getrandom");
  for (unsigned n = 255; n > 0; n--) {
    unsigned other = drawn[n] % (n + 1);
    uint8_t kept = found->permutation[n];
    found->permutation[n] = found->permutation[other];
    found->permutation[other] = kept;
  }
}
