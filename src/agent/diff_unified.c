#include "diff_unified.h"

#include <string.h>

#include "diff_compare.h"
#include "memory.h"

struct texts {
  struct lines a, b;
};

/* A place in both texts. */
struct place_in {
  uint32_t a, b;
};

static bool write_lines(struct out *o, char sign, const struct lines *l, uint32_t from, uint32_t to) {
  for (uint32_t i = from; i < to; i++) {
    struct bytes line = line_at(l, i);
    if (!out_bytes(o, &sign, 1) || !out_bytes(o, line.at, line.length)) return false;
    bool ends = i + 1 < l->count || line.at[line.length - 1] == '\n';
    if (!ends && !out_text(o, "\n\\ No newline at end of file\n")) return false;
  }
  return true;
}

static bool write_range(struct out *o, char sign, uint32_t from, uint32_t count) {
  uint32_t first = count ? from + 1 : from;
  return count == 1 ? out_format(o, " %c%u", sign, first) : out_format(o, " %c%u,%u", sign, first, count);
}

static struct place_in after_change(const struct texts *t, struct place_in at) {
  while (at.a < t->a.count && t->a.changed[at.a]) at.a++;
  while (at.b < t->b.count && t->b.changed[at.b]) at.b++;
  return at;
}

static bool is_changed(const struct texts *t, struct place_in at) {
  return (at.a < t->a.count && t->a.changed[at.a]) || (at.b < t->b.count && t->b.changed[at.b]);
}

static bool at_end(const struct texts *t, struct place_in at) { return at.a >= t->a.count || at.b >= t->b.count; }

/* The next change from here on; where there is none, the end. */
static struct place_in next_change(const struct texts *t, struct place_in at) {
  while (!is_changed(t, at) && !at_end(t, at)) at.a++, at.b++;
  return at;
}

/* Where the hunk ends whose first change is at `at`: its context, or the end of the texts. */
static struct place_in hunk_end(const struct texts *t, struct place_in at, uint32_t context) {
  while (true) {
    struct place_in end = after_change(t, at);
    struct place_in next = next_change(t, end);
    bool joins = is_changed(t, next) && next.a - end.a <= 2 * (uint64_t)context;
    if (joins) {
      at = next;
      continue;
    }
    uint32_t rest = MIN(t->a.count - end.a, t->b.count - end.b), more = MIN(rest, context);
    return (struct place_in){end.a + more, end.b + more};
  }
}

static bool write_hunk(struct out *o, const struct texts *t, struct place_in from, struct place_in to, struct diff_counts *counts) {
  if (!out_text(o, "@@") || !write_range(o, '-', from.a, to.a - from.a) || !write_range(o, '+', from.b, to.b - from.b)) return false;
  if (!out_text(o, " @@\n")) return false;
  for (struct place_in at = from; at.a < to.a || at.b < to.b;) {
    struct place_in end = after_change(t, at);
    if (!write_lines(o, '-', &t->a, at.a, end.a) || !write_lines(o, '+', &t->b, at.b, end.b)) return false;
    counts->removed += end.a - at.a;
    counts->added += end.b - at.b;
    struct place_in next = next_change(t, end);
    uint32_t common = MIN(next.a, to.a) - end.a;
    if (!write_lines(o, ' ', &t->a, end.a, end.a + common)) return false;
    at = (struct place_in){end.a + common, end.b + common};
  }
  return true;
}

static bool write_texts(struct out *o, const struct texts *t, uint32_t context, struct diff_counts *counts) {
  struct place_in at = next_change(t, (struct place_in){0});
  while (is_changed(t, at)) {
    uint32_t before = MIN(MIN(at.a, at.b), context);
    struct place_in end = hunk_end(t, at, context);
    if (!write_hunk(o, t, (struct place_in){at.a - before, at.b - before}, end, counts)) return false;
    at = next_change(t, end);
  }
  return true;
}

bool unified_write(struct out *o, struct bytes a, struct bytes b, uint32_t context, struct diff_counts *counts) {
  struct texts t = {lines_cut(a), lines_cut(b)};
  lines_compare(&t.a, &t.b);
  bool wrote = write_texts(o, &t, context, counts);
  lines_free(&t.a);
  lines_free(&t.b);
  return wrote;
}
