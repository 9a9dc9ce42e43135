#include "diff_slide.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

/* Moves by one line, for each line: an ill-meant text would take many more. */
enum { MOVES_PER_LINE = 16 };

struct group {
  uint32_t from, to;
  /* Unchanged lines before it. */
  uint32_t before;
};

static bool move_up(struct lines *l, struct group *g) {
  if (g->from == 0 || l->numbers[g->from - 1] != l->numbers[g->to - 1]) return false;
  l->changed[--g->from] = true;
  l->changed[--g->to] = false;
  g->before--;
  while (g->from > 0 && l->changed[g->from - 1]) g->from--;
  return true;
}

static bool move_down(struct lines *l, struct group *g) {
  if (g->to == l->count || l->numbers[g->from] != l->numbers[g->to]) return false;
  l->changed[g->from++] = false;
  l->changed[g->to++] = true;
  g->before++;
  while (g->to < l->count && l->changed[g->to]) g->to++;
  return true;
}

/* For each number of unchanged lines, whether changed ones follow them on this side. */
static bool *gaps(const struct lines *l) {
  bool *follows = allocate((size_t)l->count + 1);
  memset(follows, 0, (size_t)l->count + 1);
  uint32_t before = 0;
  for (uint32_t i = 0; i < l->count; i++) {
    if (l->changed[i]) follows[before] = true;
    else before++;
  }
  return follows;
}

/* Stops where it may not move any more; the group is a valid one everywhere. */
static void settle(struct lines *l, struct group *g, const bool *beside, uint64_t *moves) {
  uint32_t length;
  bool met;
  struct group meeting;
  do {
    length = g->to - g->from;
    while (*moves && move_up(l, g)) --*moves;
    met = beside[g->before];
    meeting = *g;
    while (*moves && move_down(l, g)) {
      --*moves;
      if (!beside[g->before]) continue;
      met = true;
      meeting = *g;
    }
  } while (*moves && length != g->to - g->from);
  while (met && g->to > meeting.to && move_up(l, g)) continue;
}

void lines_slide(struct lines *l, const struct lines *other) {
  bool *beside = gaps(other);
  uint64_t moves = (uint64_t)MOVES_PER_LINE * l->count;
  uint32_t before = 0;
  for (uint32_t i = 0; i < l->count && moves; i++) {
    if (!l->changed[i]) {
      before++;
      continue;
    }
    struct group g = {.from = i, .to = i, .before = before};
    while (g.to < l->count && l->changed[g.to]) g.to++;
    settle(l, &g, beside, &moves);
    before = g.before;
    i = g.to - 1;
  }
  free(beside);
}
