#include "diff_compare.h"

#include <stdlib.h>
#include <string.h>

#include "diff_slide.h"
#include "memory.h"

enum {
  /* A box is searched to its end up to this many differences, and in a large one up to the root of its size. */
  LEAST_COST = 256,
  /* Of a whole comparison: a second or two. */
  MAX_STEPS = 500 * 1000 * 1000,
};

/* Lines that both sides have: their numbers, and which lines they are. */
struct side {
  int32_t *numbers;
  uint32_t *lines;
  int32_t count;
  bool *changed;
};

struct box {
  int32_t a, a_end, b, b_end;
};

struct search {
  struct side a, b;
  /* How far each diagonal a − b was followed from the start and from the end, by its number; one more on either side. */
  int32_t *forward, *backward;
  int64_t steps;
  int32_t cost;
};

struct point {
  int32_t a, b;
};

static int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
static int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

/* The diagonals that were reached in one direction. */
struct band {
  int32_t from, to;
};

static void widen(struct band *band, int32_t *reached, struct band all, int32_t nowhere) {
  if (band->from > all.from) reached[--band->from - 1] = nowhere;
  else band->from++;
  if (band->to < all.to) reached[++band->to + 1] = nowhere;
  else band->to--;
}

static bool step_forward(struct search *s, const struct box *x, struct band f, const struct band *met, struct point *meeting) {
  for (int32_t d = f.to; d >= f.from; d -= 2) {
    int32_t a = s->forward[d - 1] >= s->forward[d + 1] ? s->forward[d - 1] + 1 : s->forward[d + 1];
    int32_t first = a;
    while (a < x->a_end && a - d < x->b_end && s->a.numbers[a] == s->b.numbers[a - d]) a++;
    s->steps += a - first + 1;
    s->forward[d] = a;
    if (!met || d < met->from || d > met->to || s->backward[d] > a) continue;
    *meeting = (struct point){a, a - d};
    return true;
  }
  return false;
}

static bool step_backward(struct search *s, const struct box *x, struct band g, const struct band *met, struct point *meeting) {
  for (int32_t d = g.to; d >= g.from; d -= 2) {
    int32_t a = s->backward[d - 1] < s->backward[d + 1] ? s->backward[d - 1] : s->backward[d + 1] - 1;
    int32_t first = a;
    while (a > x->a && a - d > x->b && s->a.numbers[a - 1] == s->b.numbers[a - d - 1]) a--;
    s->steps += first - a + 1;
    s->backward[d] = a;
    if (!met || d < met->from || d > met->to || s->forward[d] < a) continue;
    *meeting = (struct point){a, a - d};
    return true;
  }
  return false;
}

/* Where the longer way ends of the two that were found. */
static struct point furthest(const struct search *s, const struct box *x, struct band f, struct band g) {
  struct point start = {x->a, x->b}, end = {x->a_end, x->b_end};
  for (int32_t d = f.to; d >= f.from; d -= 2) {
    int32_t a = least(least(s->forward[d], x->a_end), x->b_end + d);
    if (2 * a - d > start.a + start.b) start = (struct point){a, a - d};
  }
  for (int32_t d = g.to; d >= g.from; d -= 2) {
    int32_t a = most(most(s->backward[d], x->a), x->b + d);
    if (2 * a - d < end.a + end.b) end = (struct point){a, a - d};
  }
  bool forward = start.a + start.b - x->a - x->b > x->a_end + x->b_end - end.a - end.b;
  return forward ? start : end;
}

/* A point on a short way through the box, which neither starts nor ends with a common line, and has lines on both sides. */
static struct point split(struct search *s, const struct box *x) {
  struct band all = {x->a - x->b_end, x->a_end - x->b};
  struct band f = {x->a - x->b, x->a - x->b}, g = {x->a_end - x->b_end, x->a_end - x->b_end};
  bool odd = (f.from - g.from) & 1;
  struct point meeting;
  s->forward[f.from] = x->a;
  s->backward[g.from] = x->a_end;
  for (int32_t cost = 1;; cost++) {
    widen(&f, s->forward, all, -1);
    if (step_forward(s, x, f, odd ? &g : NULL, &meeting)) return meeting;
    widen(&g, s->backward, all, INT32_MAX);
    if (step_backward(s, x, g, odd ? NULL : &f, &meeting)) return meeting;
    if (cost >= s->cost || s->steps > MAX_STEPS) return furthest(s, x, f, g);
  }
}

static void trim(const struct search *s, struct box *x) {
  while (x->a < x->a_end && x->b < x->b_end && s->a.numbers[x->a] == s->b.numbers[x->b]) x->a++, x->b++;
  while (x->a < x->a_end && x->b < x->b_end && s->a.numbers[x->a_end - 1] == s->b.numbers[x->b_end - 1]) x->a_end--, x->b_end--;
}

static void mark(struct side *side, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; i++) side->changed[side->lines[i]] = true;
}

static int32_t size(const struct box *x) { return x->a_end - x->a + x->b_end - x->b; }

/* Goes on with the larger part, so that it calls itself no deeper than the logarithm of the size. */
static void search_box(struct search *s, struct box x) {
  while (true) {
    trim(s, &x);
    if (x.a == x.a_end || x.b == x.b_end || s->steps > MAX_STEPS) {
      mark(&s->a, x.a, x.a_end);
      mark(&s->b, x.b, x.b_end);
      return;
    }
    struct point p = split(s, &x);
    struct box head = {x.a, p.a, x.b, p.b}, tail = {p.a, x.a_end, p.b, x.b_end};
    bool head_first = size(&head) < size(&tail);
    search_box(s, head_first ? head : tail);
    x = head_first ? tail : head;
  }
}

/* A line that the other side has nowhere is changed whatever else is. */
static struct side common(struct lines *l, const bool *elsewhere) {
  struct side side = {.changed = l->changed};
  side.numbers = allocate(l->count * sizeof *side.numbers);
  side.lines = allocate(l->count * sizeof *side.lines);
  for (uint32_t i = 0; i < l->count; i++) {
    if (!elsewhere[l->numbers[i]]) {
      l->changed[i] = true;
      continue;
    }
    side.numbers[side.count] = (int32_t)l->numbers[i];
    side.lines[side.count++] = i;
  }
  return side;
}

static bool *occurring(const struct lines *l, uint32_t numbers) {
  bool *found = allocate(numbers);
  memset(found, 0, numbers);
  for (uint32_t i = 0; i < l->count; i++) found[l->numbers[i]] = true;
  return found;
}

static void free_side(struct side *side) {
  free(side->numbers);
  free(side->lines);
}

static int32_t root(int32_t number) {
  int32_t r = 1;
  while ((int64_t)r * r < number) r *= 2;
  return r;
}

void lines_compare(struct lines *a, struct lines *b) {
  uint32_t numbers = lines_number(a, b);
  bool *in_a = occurring(a, numbers), *in_b = occurring(b, numbers);
  struct search s = {.a = common(a, in_b), .b = common(b, in_a)};
  free(in_a);
  free(in_b);
  size_t diagonals = (size_t)s.a.count + (size_t)s.b.count + 3;
  int32_t *forward = allocate(diagonals * sizeof *forward), *backward = allocate(diagonals * sizeof *backward);
  s.forward = forward + s.b.count + 1;
  s.backward = backward + s.b.count + 1;
  s.cost = most(LEAST_COST, root(s.a.count + s.b.count));
  search_box(&s, (struct box){0, s.a.count, 0, s.b.count});
  free(forward);
  free(backward);
  free_side(&s.a);
  free_side(&s.b);
  lines_slide(a, b);
  lines_slide(b, a);
}
