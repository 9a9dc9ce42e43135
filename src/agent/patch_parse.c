#define _GNU_SOURCE
#include "patch_parse.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "patch_names.h"
#include "refusal.h"

enum { MAX_COUNT = MAX_TEXT_BYTES, MAX_WHY = 512 };

struct parser {
  struct bytes text;
  size_t at;
  /* Of the line at `at`, from 1. */
  uint32_t line;
  uint32_t strip;
  struct patch *patch;
};

/* The line at a place, without its newline; `next` is where the following one begins. */
static struct bytes line_from(const struct parser *p, size_t at, size_t *next) {
  const uint8_t *start = p->text.at + at;
  const uint8_t *newline = memchr(start, '\n', p->text.length - at);
  size_t length = newline ? (size_t)(newline - start) : p->text.length - at;
  *next = at + length + (newline != NULL);
  return (struct bytes){start, length};
}

static bool at_end(const struct parser *p) { return p->at >= p->text.length; }

static struct bytes take_line(struct parser *p) {
  struct bytes line = line_from(p, p->at, &p->at);
  p->line++;
  return line;
}

static struct bytes peek(const struct parser *p) {
  size_t next;
  return at_end(p) ? (struct bytes){(const uint8_t *)"", 0} : line_from(p, p->at, &next);
}

static bool ends_with_carriage(struct bytes line) { return line.length && line.at[line.length - 1] == '\r'; }

static struct bytes without_carriage(struct bytes line) {
  return ends_with_carriage(line) ? (struct bytes){line.at, line.length - 1} : line;
}

/* What follows a word that a line begins with. */
static bool after(struct bytes line, const char *word, struct bytes *rest) {
  size_t length = strlen(word);
  if (line.length < length || memcmp(line.at, word, length) != 0) return false;
  line = without_carriage(line);
  if (line.length < length) return false;
  *rest = (struct bytes){line.at + length, line.length - length};
  return true;
}

static bool begins(struct bytes line, const char *word) {
  struct bytes rest;
  return after(line, word, &rest);
}

static bool corrupt(const struct parser *p, const char *what) { return refuse("The patch is broken at line %u: %s", p->line, what); }

static struct file_patch *add_file(struct parser *p) {
  struct patch *patch = p->patch;
  if ((patch->count & (patch->count - 1)) == 0)
    patch->files = reallocate(patch->files, (patch->count ? 2 * (size_t)patch->count : 1) * sizeof *patch->files);
  struct file_patch *f = &patch->files[patch->count++];
  *f = (struct file_patch){.line = p->line};
  return f;
}

static bool take_number(struct bytes *b, uint32_t *number) {
  uint64_t value = 0;
  size_t digits = 0;
  while (digits < b->length && isdigit(b->at[digits]) && value <= MAX_COUNT) value = 10 * value + b->at[digits++] - '0';
  *b = (struct bytes){b->at + digits, b->length - digits};
  *number = (uint32_t)value;
  return digits > 0 && value <= MAX_COUNT;
}

static bool take_word(struct bytes *b, const char *word) {
  size_t length = strlen(word);
  if (b->length < length || memcmp(b->at, word, length) != 0) return false;
  *b = (struct bytes){b->at + length, b->length - length};
  return true;
}

static bool take_range(struct bytes *b, uint32_t *first, uint32_t *count) {
  *count = 1;
  return take_number(b, first) && (!take_word(b, ",") || take_number(b, count));
}

/* `@@ -first,count +first,count @@`, and whatever follows. */
static bool is_hunk(struct bytes line, struct hunk *h) {
  return take_word(&line, "@@ -") && take_range(&line, &h->first[OLD], &h->count[OLD]) && take_word(&line, " +") &&
         take_range(&line, &h->first[NEW], &h->count[NEW]) && take_word(&line, " @@");
}

/* Takes as many lines as the header says, and what says that the last one has no end. */
static bool take_body(struct parser *p, struct hunk *h) {
  size_t start = p->at;
  uint32_t left[VERSIONS] = {h->count[OLD], h->count[NEW]};
  while (left[OLD] || left[NEW]) {
    if (at_end(p)) return corrupt(p, "the hunk is shorter than its header says");
    struct bytes line = peek(p);
    uint8_t sign = line.length && line.at[0] != '\r' ? line.at[0] : ' ';
    if (sign == '\\' && p->at == start) return corrupt(p, "no line is before this one");
    if (sign != ' ' && sign != '-' && sign != '+' && sign != '\\') return corrupt(p, "neither kept, taken away nor added");
    bool old = sign == ' ' || sign == '-', new = sign == ' ' || sign == '+';
    if ((old && !left[OLD]) || (new && !left[NEW])) return corrupt(p, "the hunk is longer than its header says");
    left[OLD] -= old;
    left[NEW] -= new;
    take_line(p);
  }
  if (!at_end(p) && p->at > start && begins(peek(p), "\\")) take_line(p);
  h->body = (struct bytes){p->text.at + start, p->at - start};
  return true;
}

static bool take_hunks(struct parser *p, struct file_patch *f) {
  struct hunk h = {0};
  /* Subversion writes `@@ +1 0,0 @@` where an empty file goes. */
  while (begins(peek(p), "@@") && !begins(peek(p), "@@ +")) {
    /* Passed over as somebody’s words, it would leave the file half changed. */
    if (!is_hunk(peek(p), &h)) return corrupt(p, "a hunk begins with “@@ -line,count +line,count @@”, and no number is so large");
    h.line = p->line;
    f->carriage |= ends_with_carriage(take_line(p));
    if (!take_body(p, &h)) return false;
    if ((f->hunk_count & (f->hunk_count - 1)) == 0)
      f->hunks = reallocate(f->hunks, (f->hunk_count ? 2 * (size_t)f->hunk_count : 1) * sizeof *f->hunks);
    f->hunks[f->hunk_count++] = h;
  }
  return true;
}

/* What diff -u tells behind a name: `2024-02-29 10:11:12.345 +0100`. */
struct stamp {
  uint32_t year, month, day, hour, minute, second;
  /* No part of a second. */
  bool whole;
  /* Of its zone, east of UTC. */
  int minutes;
};

static bool take_digits(struct bytes *b, size_t count, uint32_t *number) {
  struct bytes digits = {b->at, count};
  if (b->length < count || !take_number(&digits, number) || digits.length) return false;
  *b = (struct bytes){b->at + count, b->length - count};
  return true;
}

static bool take_zone(struct bytes *b, int *minutes) {
  uint32_t hour, minute;
  int sign = take_word(b, " -") ? -1 : take_word(b, " +") ? 1 : 0;
  if (!sign || !take_digits(b, 2, &hour)) return false;
  take_word(b, ":");
  if (!take_digits(b, 2, &minute)) return false;
  *minutes = sign * (int)(60 * hour + minute);
  return true;
}

static bool read_stamp(struct bytes b, struct stamp *s) {
  *s = (struct stamp){.whole = true};
  if (!take_digits(&b, 4, &s->year) || !take_word(&b, "-") || !take_digits(&b, 2, &s->month) || !take_word(&b, "-") ||
      !take_digits(&b, 2, &s->day) || !take_word(&b, " ") || !take_digits(&b, 2, &s->hour) || !take_word(&b, ":") ||
      !take_digits(&b, 2, &s->minute) || !take_word(&b, ":") || !take_digits(&b, 2, &s->second))
    return false;
  if (take_word(&b, "."))
    for (; b.length && isdigit(b.at[0]); b = (struct bytes){b.at + 1, b.length - 1}) s->whole &= b.at[0] == '0';
  return (b.length == 0 || take_zone(&b, &s->minutes)) && b.length == 0;
}

/* The time behind a name: a tab parts them, or, where a mail program made it blanks, those do, and then it is taken off. */
static struct bytes take_time(struct bytes *words) {
  struct bytes time = {words->at, 0};
  const uint8_t *tab = words->length ? memchr(words->at, '\t', words->length) : NULL;
  if (tab) return (struct bytes){tab + 1, words->length - (size_t)(tab + 1 - words->at)};
  if (words->length && words->at[0] == '"') return time;
  for (size_t at = 1; at < words->length; at++) {
    struct stamp ignored;
    time = (struct bytes){words->at + at + 1, words->length - at - 1};
    if (words->at[at] != ' ' || !read_stamp(time, &ignored)) continue;
    while (at > 1 && words->at[at - 1] == ' ') at--;
    words->length = at;
    return time;
  }
  return (struct bytes){words->at, 0};
}

/* 1970-01-01 00:00 UTC in any zone: GNU diff’s word for a file that is not there. */
static bool is_epoch(struct bytes time) {
  struct stamp s;
  if (!read_stamp(time, &s) || !s.whole || s.second != 0) return false;
  bool before = s.year == 1969 && s.month == 12 && s.day == 31, on = s.year == 1970 && s.month == 1 && s.day == 1;
  return (before || on) && (int)(60 * s.hour + s.minute) - (before ? 24 * 60 : 0) == s.minutes;
}

static bool take_name(struct parser *p, struct file_patch *f, enum version_side side, struct bytes words, uint32_t strip) {
  char *name = name_read(words, strip), why[MAX_WHY];
  snprintf(why, sizeof why, "%s", name ? "" : refusal);
  if (!name) return refuse("%s (line %u of the patch)", why, p->line);
  free(f->names[side]);
  f->names[side] = name;
  return true;
}

static void drop_name(struct file_patch *f, enum version_side side) {
  free(f->names[side]);
  f->names[side] = NULL;
}

static bool take_mode(struct parser *p, struct bytes words, uint32_t *mode) {
  uint32_t value = 0;
  bool octal = words.length == 6;
  for (size_t i = 0; octal && i < words.length; i++) {
    octal = words.at[i] >= '0' && words.at[i] <= '7';
    value = 8 * value + words.at[i] - '0';
  }
  /* git’s only kinds: files, links and, since it can’t be applied to a tree of files, no submodules. */
  if (!octal || (value >> 12 != 010 && value >> 12 != 012)) return corrupt(p, "the mode is neither a file’s nor a link’s");
  *mode = value;
  return true;
}

/* `index OLD..NEW MODE`; names that are cut short are not kept. */
static bool take_blobs(struct parser *p, struct file_patch *f, struct bytes words) {
  for (int side = OLD; side <= NEW; side++) {
    size_t length = 0;
    while (length < words.length && isxdigit(words.at[length])) length++;
    if (length == 40) memcpy(f->blobs[side], words.at, length);
    words = (struct bytes){words.at + length, words.length - length};
    if (side == OLD && !take_word(&words, "..")) return corrupt(p, "an index line without two names");
  }
  if (!take_word(&words, " ")) return true;
  if (!take_mode(p, words, &f->modes[OLD])) return false;
  f->modes[NEW] = f->modes[OLD];
  return true;
}

static bool take_moved(struct parser *p, struct file_patch *f, enum version_side side, struct bytes words, bool rename) {
  *(rename ? &f->rename : &f->copy) = true;
  return take_name(p, f, side, words, p->strip ? p->strip - 1 : 0);
}

/* One line of git’s extended headers. False, with nothing refused, where it is none. */
static bool take_extended(struct parser *p, struct file_patch *f, bool *gone, bool *ok) {
  struct bytes line = peek(p), words;
  f->carriage |= ends_with_carriage(line);
  if (after(line, "old mode ", &words)) *ok = take_mode(p, words, &f->modes[OLD]);
  else if (after(line, "new mode ", &words)) *ok = take_mode(p, words, &f->modes[NEW]);
  else if (after(line, "deleted file mode ", &words)) *ok = take_mode(p, words, &f->modes[OLD]), gone[NEW] = true;
  else if (after(line, "new file mode ", &words)) *ok = take_mode(p, words, &f->modes[NEW]), gone[OLD] = true;
  else if (after(line, "rename from ", &words)) *ok = take_moved(p, f, OLD, words, true);
  else if (after(line, "rename to ", &words)) *ok = take_moved(p, f, NEW, words, true);
  else if (after(line, "copy from ", &words)) *ok = take_moved(p, f, OLD, words, false);
  else if (after(line, "copy to ", &words)) *ok = take_moved(p, f, NEW, words, false);
  else if (after(line, "index ", &words)) *ok = take_blobs(p, f, words);
  else if (!begins(line, "similarity index ") && !begins(line, "dissimilarity index ")) return false;
  take_line(p);
  return true;
}

static bool take_binary(struct parser *p, struct binary *b) {
  struct bytes words = without_carriage(peek(p));
  uint32_t length;
  b->is_delta = take_word(&words, "delta ");
  if (!b->is_delta && !take_word(&words, "literal ")) return true;
  if (!take_number(&words, &length) || words.length) return corrupt(p, "a binary patch without its length");
  take_line(p);
  b->present = true;
  b->length = length;
  size_t start = p->at, end = p->at;
  while (!at_end(p)) {
    end = p->at;
    if (without_carriage(take_line(p)).length == 0) break;
    end = p->at;
  }
  b->lines = (struct bytes){p->text.at + start, end - start};
  return true;
}

static bool take_binaries(struct parser *p, struct file_patch *f) {
  take_line(p);
  if (!take_binary(p, &f->binaries[NEW]) || !take_binary(p, &f->binaries[OLD])) return false;
  return f->binaries[NEW].present || corrupt(p, "a binary patch without content");
}

/* `--- name`, `+++ name`. A file that is not there on a side has no name on it. */
static bool take_names(struct parser *p, struct file_patch *f) {
  bool nowhere[VERSIONS], epoch[VERSIONS];
  for (int side = OLD; side <= NEW; side++) {
    struct bytes line = peek(p), words;
    after(line, side == OLD ? "--- " : "+++ ", &words);
    f->carriage |= ends_with_carriage(line);
    /* What git’s own lines have said of a rename stands. */
    bool stands = f->rename || f->copy;
    struct bytes time = f->git ? (struct bytes){words.at, 0} : take_time(&words);
    char *said = f->git && !stands && f->names[side] ? copy_text(f->names[side]) : NULL;
    if (!stands && !take_name(p, f, side, words, p->strip)) return free(said), false;
    nowhere[side] = !stands && strcmp(f->names[side], "/dev/null") == 0;
    epoch[side] = !stands && is_epoch(time);
    bool differs = said && !nowhere[side] && strcmp(f->names[side], said) != 0;
    free(said);
    if (differs) return corrupt(p, "the file has another name here than behind “diff --git”");
    take_line(p);
  }
  for (int side = OLD; side <= NEW; side++)
    if (nowhere[side] || (epoch[side] && !nowhere[!side] && !epoch[!side])) drop_name(f, side);
  return true;
}

static bool names_follow(const struct parser *p) {
  size_t next, end;
  if (at_end(p) || !begins(line_from(p, p->at, &next), "--- ") || next >= p->text.length) return false;
  return begins(line_from(p, next, &end), "+++ ");
}

static bool take_content(struct parser *p, struct file_patch *f) {
  if (names_follow(p) && !take_names(p, f)) return false;
  struct bytes line = without_carriage(peek(p));
  if (line.length == strlen("GIT binary patch") && begins(line, "GIT binary patch")) return take_binaries(p, f);
  if (begins(line, "Binary files ")) {
    f->unsaid = true;
    take_line(p);
    return true;
  }
  return take_hunks(p, f);
}

static bool take_git(struct parser *p) {
  struct file_patch *f = add_file(p);
  f->git = true;
  struct bytes words;
  after(peek(p), "diff --git ", &words);
  f->carriage = ends_with_carriage(peek(p));
  char *both = name_of_both(words, p->strip);
  take_line(p);
  bool gone[VERSIONS] = {0}, ok = true;
  while (ok && !at_end(p) && take_extended(p, f, gone, &ok)) continue;
  if (ok && both && !f->rename && !f->copy) {
    for (int side = OLD; side <= NEW; side++) f->names[side] = copy_text(both);
  }
  free(both);
  uint32_t line = p->line;
  if (!ok || !take_content(p, f)) return false;
  /* The mode of an index line is that of both. */
  for (int side = OLD; side <= NEW; side++)
    if (gone[side]) drop_name(f, side), f->modes[side] = 0;
  bool named = f->rename || f->copy ? f->names[OLD] && f->names[NEW] : f->names[OLD] || f->names[NEW];
  bool agree = f->rename || f->copy || !f->names[OLD] || !f->names[NEW] || strcmp(f->names[OLD], f->names[NEW]) == 0;
  if (named && agree) return true;
  return refuse("The patch is broken at line %u: it does not say which file it is for, without its first %u directories", line, p->strip);
}

static bool take_plain(struct parser *p) {
  struct file_patch *f = add_file(p);
  if (!take_names(p, f) || !take_hunks(p, f)) return false;
  return f->names[OLD] || f->names[NEW] || refuse("The patch is broken at line %u: neither file is there", f->line);
}

static bool take_unnamed(struct parser *p) {
  struct file_patch *f = add_file(p);
  f->unnamed = true;
  return take_hunks(p, f);
}

static bool hunk_follows_names(const struct parser *p) {
  size_t next = p->at;
  for (int i = 0; i < VERSIONS; i++) line_from(p, next, &next);
  return next < p->text.length && begins(line_from(p, next, &next), "@@");
}

bool patch_parse(struct bytes text, uint32_t strip, struct patch *patch) {
  *patch = (struct patch){0};
  struct parser p = {.text = text, .line = 1, .strip = strip, .patch = patch};
  while (!at_end(&p)) {
    bool ok = true;
    if (begins(peek(&p), "diff --git ")) ok = take_git(&p);
    else if (names_follow(&p) && hunk_follows_names(&p)) ok = take_plain(&p);
    else if (begins(peek(&p), "@@ -")) ok = take_unnamed(&p);
    /* Anything else is somebody’s words around it. */
    else take_line(&p);
    if (!ok) return false;
  }
  return patch->count > 0 || refuse("Nothing in the patch is in the unified format of diff -u or git");
}

static void swap(void *a, void *b, size_t bytes) {
  uint8_t held[64];
  memcpy(held, a, bytes);
  memcpy(a, b, bytes);
  memcpy(b, held, bytes);
}

bool patch_reverse(struct patch *p) {
  for (uint32_t i = 0; i < p->count; i++) {
    struct file_patch *f = &p->files[i];
    /* Nor does git: what the copy was made of is nowhere. */
    if (f->copy) return refuse("%s: a copy can’t be reversed", f->names[NEW]);
    swap(&f->names[OLD], &f->names[NEW], sizeof f->names[OLD]);
    swap(&f->modes[OLD], &f->modes[NEW], sizeof f->modes[OLD]);
    swap(&f->blobs[OLD], &f->blobs[NEW], sizeof f->blobs[OLD]);
    swap(&f->binaries[OLD], &f->binaries[NEW], sizeof f->binaries[OLD]);
    for (uint32_t k = 0; k < f->hunk_count; k++) {
      swap(&f->hunks[k].first[OLD], &f->hunks[k].first[NEW], sizeof f->hunks[k].first[OLD]);
      swap(&f->hunks[k].count[OLD], &f->hunks[k].count[NEW], sizeof f->hunks[k].count[OLD]);
    }
  }
  for (uint32_t i = 0; i < p->count / 2; i++) {
    struct file_patch held = p->files[i];
    p->files[i] = p->files[p->count - 1 - i];
    p->files[p->count - 1 - i] = held;
  }
  return true;
}

void patch_free(struct patch *p) {
  for (uint32_t i = 0; i < p->count; i++) {
    free(p->files[i].names[OLD]);
    free(p->files[i].names[NEW]);
    free(p->files[i].hunks);
  }
  free(p->files);
  *p = (struct patch){0};
}
