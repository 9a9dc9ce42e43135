#include "patch_hunks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "quoting.h"
#include "refusal.h"

/* SHOWN: characters of a line in a refusal. */
enum { MAX_FUZZ = 2, SHOWN = 80, MAX_START = 6000 };

enum kind { KEPT, GONE, ADDED };

/* A line of a hunk, with its newline if it has one. */
struct hunk_line {
  enum kind kind;
  struct bytes text;
  /* Its newline lies elsewhere than behind its text. */
  bool newline_apart;
};

struct hunk_lines {
  struct hunk_line *items;
  uint32_t count;
  /* Lines that were there; KEPT ones it begins and ends with. */
  uint32_t old_count, prefix, suffix;
};

struct text {
  struct lines lines;
  /* Lines that have been written. */
  uint32_t written;
  /* How far the last hunk was from where it said. */
  int64_t offset;
  struct out *out;
};

static enum kind kind_of(uint8_t sign, bool reverse) {
  if (sign == '-') return reverse ? ADDED : GONE;
  if (sign == '+') return reverse ? GONE : ADDED;
  return KEPT;
}

static void drop_carriage(struct hunk_line *line) {
  size_t length = line->text.length;
  bool ended = length && line->text.at[length - 1] == '\n';
  if (length < 1u + ended || line->text.at[length - 1 - ended] != '\r') return;
  line->text.length = length - 1 - ended;
  line->newline_apart = ended;
}

static struct hunk_lines lines_of(const struct hunk *h, struct reading reading) {
  struct lines cut = lines_cut(h->body);
  struct hunk_lines l = {.items = allocate(cut.count * sizeof *l.items)};
  for (uint32_t i = 0; i < cut.count; i++) {
    struct bytes line = line_at(&cut, i);
    if (line.at[0] == '\\') {
      /* The line before it has no newline. */
      struct hunk_line *before = &l.items[l.count - 1];
      if (!before->newline_apart && before->text.length && before->text.at[before->text.length - 1] == '\n') before->text.length--;
      before->newline_apart = false;
      continue;
    }
    /* An empty line is a kept one whose sign was cut off. */
    bool bare = line.at[0] == '\n' || line.at[0] == '\r';
    struct hunk_line *item = &l.items[l.count++];
    *item = (struct hunk_line){KEPT, line, false};
    if (!bare) *item = (struct hunk_line){kind_of(line.at[0], reading.reverse), {line.at + 1, line.length - 1}, false};
    if (reading.drops_carriage) drop_carriage(item);
  }
  lines_free(&cut);
  while (l.prefix < l.count && l.items[l.prefix].kind == KEPT) l.prefix++;
  while (l.suffix < l.count - l.prefix && l.items[l.count - 1 - l.suffix].kind == KEPT) l.suffix++;
  for (uint32_t i = 0; i < l.count; i++) l.old_count += l.items[i].kind != ADDED;
  return l;
}

static bool same_line(const struct hunk_line *h, struct bytes line) {
  size_t length = h->text.length;
  if (line.length != length + h->newline_apart) return false;
  return memcmp(h->text.at, line.at, length) == 0 && (!h->newline_apart || line.at[length] == '\n');
}

/* Old lines of a hunk, numbered from 0: fuzz leaves out some that it begins and ends with. */
struct pattern {
  uint32_t from, to;
};

/* The first old line that does not fit where line 0 would be `at`; NULL where all do. */
static const struct hunk_line *misfit(const struct text *t, const struct hunk_lines *l, struct pattern p, int64_t at, uint32_t *which) {
  uint32_t old = 0;
  for (uint32_t i = 0; i < l->count && old < p.to; i++) {
    if (l->items[i].kind == ADDED) continue;
    *which = old++;
    int64_t line = at + *which;
    if (*which < p.from) continue;
    if (line < 0 || line >= t->lines.count || !same_line(&l->items[i], line_at(&t->lines, (uint32_t)line))) return &l->items[i];
  }
  return NULL;
}

static bool fits(const struct text *t, const struct hunk_lines *l, struct pattern p, int64_t at) {
  uint32_t which;
  return at >= t->written && at <= (int64_t)t->lines.count - p.to && !misfit(t, l, p, at, &which);
}

/*
 * Where a hunk fits with so much fuzz: where it says, then one line farther off each time. Less context before than after it means
 * the start of the text, and the other way round its end.
 */
static bool locate(const struct text *t, const struct hunk_lines *l, int64_t expected, uint32_t fuzz, struct pattern *p, int64_t *at) {
  int64_t context = l->prefix > l->suffix ? l->prefix : l->suffix;
  int64_t prefix = (int64_t)fuzz + l->prefix - context, suffix = (int64_t)fuzz + l->suffix - context;
  *p = (struct pattern){(uint32_t)(prefix > 0 ? prefix : 0), l->old_count - (uint32_t)(suffix > 0 ? suffix : 0)};
  /* Something must fit, unless the hunk has nothing that could. */
  if (fuzz > 0 && p->from >= p->to) return false;
  int64_t lowest = t->written, highest = (int64_t)t->lines.count - p->to;
  *at = expected;
  if (l->old_count == 0) return fits(t, l, *p, expected);
  if (prefix < 0 && expected <= t->offset) {
    *at = 0;
    return (suffix >= 0 || l->old_count == t->lines.count) && fits(t, l, *p, 0);
  }
  if (suffix < 0) {
    *at = highest;
    return fits(t, l, *p, highest);
  }
  int64_t up = expected - lowest, down = highest - expected;
  int64_t nearest = down < 0 ? -down : up < 0 ? -up : 0, farthest = up > down ? up : down;
  for (int64_t off = nearest; off <= farthest; off++) {
    *at = expected + off;
    if (off <= down && fits(t, l, *p, *at)) return true;
    *at = expected - off;
    if (off <= up && fits(t, l, *p, *at)) return true;
  }
  return false;
}

static bool write_line(struct out *o, const struct hunk_line *line) {
  return out_bytes(o, line->text.at, line->text.length) && (!line->newline_apart || out_bytes(o, "\n", 1));
}

static bool copy_to(struct text *t, uint32_t line) {
  uint32_t from = t->lines.starts[t->written], to = t->lines.starts[line];
  t->written = line;
  return out_bytes(t->out, t->lines.text + from, to - from);
}

/* Kept lines are the text's own, also where fuzz has let others pass; those that fuzz left out change nothing. Kept ones at
 * its end may be the next hunk’s, too. */
static bool write_hunk(struct text *t, const struct hunk_lines *l, struct pattern p, int64_t at, struct applied *applied) {
  uint32_t line = (uint32_t)at + p.from, end = l->count - (l->old_count - p.to);
  for (uint32_t i = p.from; i < end; i++) {
    const struct hunk_line *item = &l->items[i];
    if (item->kind == KEPT) {
      line++;
      continue;
    }
    if (!copy_to(t, line)) return false;
    if (item->kind == GONE) {
      applied->removed++;
      t->written = ++line;
    } else {
      applied->added++;
      if (!write_line(t->out, item)) return false;
    }
  }
  return true;
}

/* As much of a line as a sentence has room for. */
static const char *shown(struct bytes line, char *to) {
  size_t length = 0;
  while (length < line.length && line.at[length] >= ' ') {
    size_t next = character_length((struct bytes){line.at + length, line.length - length});
    if (next == 0 || length + next > SHOWN) break;
    memcpy(to + length, line.at + length, next);
    length += next;
  }
  to[length] = 0;
  return to;
}

static bool has_carriage(struct bytes line) { return line.length > 1 && line.at[line.length - 2] == '\r'; }

static bool refuse_hunk(const struct file_patch *f, uint32_t number, const struct text *t, const struct hunk_lines *l, int64_t expected) {
  char is[SHOWN + 1], should[SHOWN + 1], start[MAX_START];
  uint32_t which = 0;
  const struct hunk_line *item = misfit(t, l, (struct pattern){0, l->old_count}, expected, &which);
  const char *name = f->names[OLD] ? f->names[OLD] : f->names[NEW] ? f->names[NEW] : "the file";
  int64_t line = expected + which;
  snprintf(start, sizeof start, "%s: hunk %u (line %u of the patch) fits neither at line %lld nor elsewhere", name, number,
           f->hunks[number - 1].line, (long long)(item ? line : expected) + 1);
  if (line < 0 || line >= t->lines.count) return refuse("%s: the file has %u lines", start, t->lines.count);
  if (!item) return refuse("%s", start);
  struct bytes there = line_at(&t->lines, (uint32_t)line);
  if (!item->newline_apart && has_carriage(there) != has_carriage(item->text))
    return refuse("%s: its lines end otherwise (CRLF)", start);
  return refuse("%s: that line is “%s”, not “%s”", start, shown(there, is), shown(item->text, should));
}

static bool apply_hunk(const struct file_patch *f, uint32_t number, struct reading reading, struct text *t, struct applied *applied) {
  const struct hunk *h = &f->hunks[number - 1];
  struct hunk_lines l = lines_of(h, reading);
  /* Where no line is old, the new ones come behind the one that is named. */
  int64_t said = (int64_t)h->first[OLD] - (h->count[OLD] > 0), at = 0;
  uint32_t fuzz = 0, most = MIN((uint32_t)MAX_FUZZ, l.prefix > l.suffix ? l.prefix : l.suffix);
  struct pattern p;
  while (fuzz <= most && !locate(t, &l, said + t->offset, fuzz, &p, &at)) fuzz++;
  bool ok = fuzz <= most ? write_hunk(t, &l, p, at, applied) : refuse_hunk(f, number, t, &l, said + t->offset);
  t->offset = at - said;
  if (llabs(t->offset) > llabs(applied->offset)) applied->offset = t->offset;
  if (fuzz > applied->fuzz) applied->fuzz = fuzz;
  free(l.items);
  return ok;
}

bool hunks_apply(const struct file_patch *f, struct reading reading, struct bytes text, struct out *o, struct applied *applied) {
  *applied = (struct applied){0};
  struct text t = {.lines = lines_cut(text), .out = o};
  bool ok = true;
  for (uint32_t i = 1; ok && i <= f->hunk_count; i++) ok = apply_hunk(f, i, reading, &t, applied);
  if (ok) ok = copy_to(&t, t.lines.count);
  lines_free(&t.lines);
  return ok;
}
